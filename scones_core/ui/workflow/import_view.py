"""Executions from a file: an export of the AWS console, or a history printed by the AWS CLI."""

import streamlit as st

from scones_core.domain.execution_export import ExportedExecution, exported_execution
from scones_core.domain.export_definition import in_order
from scones_core.domain.history import state_runs
from scones_core.ports import Execution, ExecutionStatus
from scones_core.services import App
from scones_core.ui.workflow.execution_view import ExecutionDetail, execution_detail

_LARGEST = 50  # MB


def file_input() -> tuple[str, bytes] | None:
    """Name and content of the uploaded file, if any."""
    file = st.file_uploader(
        "Exported execution",
        type=["json"],
        max_upload_size=_LARGEST,
        key="imported_execution",
        help="The file is only displayed, not stored.",
    )
    return (file.name, file.getvalue()) if file else None


def import_help() -> None:
    st.info(
        "Choose a file above to inspect an execution from AWS in the same view.",
        icon=":material/upload_file:",
    )
    st.markdown(
        "- **From the console**: open the execution, then **Actions › Export**; the file, "
        "`execution-detail.json`, includes the definition.\n"
        "- **From the command line**: "
        "`aws stepfunctions get-execution-history --execution-arn … > history.json`; it has no definition, "
        "so states are shown in the order they were entered.\n"
        "- **From this page**: a file from **Download execution**."
    )


def imported_view(app: App, name: str, data: bytes) -> None:
    """The execution in the file. Raises BadInput."""
    exported = _read(data, name.removesuffix(".json"))
    definition = exported.definition or in_order(state_runs(exported.events))
    if not definition["States"]:
        st.info("The execution in the file has not entered any state yet.", icon=":material/account_tree:")
        return
    if exported.definition is None:
        st.caption(
            ":material/info: The file has no definition that can be drawn. "
            "The graph shows the states in the order they were entered."
        )
    execution_detail(app, ExecutionDetail(_execution(exported), definition, exported.events))


@st.cache_data(show_spinner=False, max_entries=4)
def _read(data: bytes, name: str) -> ExportedExecution:
    return exported_execution(data, name)


def _execution(exported: ExportedExecution) -> Execution:
    return Execution(
        name=exported.name,
        machine=exported.machine,
        status=ExecutionStatus(exported.status),
        started=exported.started,
        input=exported.input,
        stopped=exported.stopped,
        output=exported.output,
        error=exported.error,
        cause=exported.cause,
    )
