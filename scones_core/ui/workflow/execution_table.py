"""The table of executions."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from scones_core.domain.history import image_key
from scones_core.ports import Execution, ExecutionStatus
from scones_core.services import App, classification
from scones_core.services.classification import Classified
from scones_core.ui.shell.images import tile_image
from scones_core.ui.shell.times import days_between, heading, wall_time

CHOSEN = "execution"  # in the page's URL
_RESULTS = "execution_results"  # session key
_ALL = "All"
_FILTERS: dict[str, ExecutionStatus | None] = {
    _ALL: None,
    "Succeeded": ExecutionStatus.SUCCEEDED,
    "Failed": ExecutionStatus.FAILED,
    "Running": ExecutionStatus.RUNNING,
    "Aborted": ExecutionStatus.ABORTED,
    "Timed out": ExecutionStatus.TIMED_OUT,
}
STATUSES = {
    ExecutionStatus.SUCCEEDED: ("Succeeded", "green"),
    ExecutionStatus.FAILED: ("Failed", "red"),
    ExecutionStatus.RUNNING: ("Running", "blue"),
    ExecutionStatus.TIMED_OUT: ("Timed out", "orange"),
    ExecutionStatus.ABORTED: ("Aborted", "gray"),
}
_PAGE = 20


@dataclass(frozen=True)
class Filter:
    """What to list; the URL keeps it. until : exclusive."""

    status: ExecutionStatus | None
    name: str
    since: datetime | None
    until: datetime | None


def filter_input() -> Filter:
    """Status, name and days, in the viewer's zone."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        status = st.segmented_control(
            "Status",
            list(_FILTERS),
            default=_ALL,
            required=True,
            key="workflow_status",
            wrap=True,
            on_change=forget_chosen,
            bind="query-params",
        )
        name = st.text_input(
            "Name contains",
            key="workflow_name",
            icon=":material/search:",
            width=200,
            max_chars=80,
            on_change=forget_chosen,
            bind="query-params",
        )
        days = st.date_input("Days", [], key="workflow_days", width=270, on_change=forget_chosen)
    return Filter(_FILTERS[status], (name or "").strip(), *days_between(days))


def page_size() -> int:
    """Number of executions to show: twenty, and twenty more per press of the button below the table."""
    return _PAGE * int(st.session_state.get("workflow_pages", 1))


def more_button(shown: int) -> None:
    if shown >= page_size():
        st.button(
            "Show older executions", icon=":material/expand_more:", key="workflow_more", on_click=_more, type="tertiary"
        )


def _more() -> None:
    st.session_state["workflow_pages"] = st.session_state.get("workflow_pages", 1) + 1


def executions_table(app: App, executions: Sequence[Execution], threshold: float) -> str:
    """The table, newest first; returns the name of the selected execution, by default the newest.

    The URL keeps the selection.
    """
    names = [execution.name for execution in executions]
    wanted = st.query_params.get(CHOSEN, names[0])
    marked = [names.index(wanted)] if wanted in names else []
    event = st.dataframe(
        pd.DataFrame([_row(app, *one) for one in zip(executions, _results(app, executions), strict=True)]),
        key=f"executions-{names[0]}-{len(names)}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": marked}},
        row_height=44,
        height=min(400, 44 * len(names) + 40),
        column_config=_columns(threshold),
        placeholder="–",
        alt=f"The {len(names)} newest executions, with image, prediction and confidence",
    )
    chosen: list[int] = event["selection"]["rows"]
    if not chosen or chosen == marked:
        return wanted
    st.query_params[CHOSEN] = names[chosen[0]]
    return names[chosen[0]]


def forget_chosen() -> None:
    """Reset the selection to the newest."""
    st.query_params.pop(CHOSEN, None)


def _columns(threshold: float) -> dict[str, Any]:
    return {
        "Image": st.column_config.ImageColumn(width=60),
        "Status": st.column_config.MultiselectColumn(
            options=[text for text, _ in STATUSES.values()],
            color=[colour for _, colour in STATUSES.values()],
            width=100,
        ),
        "Confidence": st.column_config.ProgressColumn(
            format="%.1f%%", min_value=0.0, max_value=100.0, help=f"Inferences above {threshold:.0%} are accepted."
        ),
        "Error": st.column_config.TextColumn(width=270),
        heading("Started"): st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
        "Duration": st.column_config.NumberColumn(format="%,.0f ms", width=90),
        "Execution": st.column_config.TextColumn(width=330),
    }


def _row(app: App, execution: Execution, result: Classified) -> dict[str, Any]:
    stopped = execution.stopped
    return {
        "Image": _thumbnail(app, image_key(execution.input)),
        "Status": [STATUSES[execution.status][0]],
        "Prediction": (result.prediction or "–").replace("_", " "),
        "Confidence": None if result.confidence is None else 100 * result.confidence,
        "Error": execution.error or "",
        heading("Started"): wall_time(execution.started),
        "Duration": 1000 * (stopped - execution.started).total_seconds() if stopped else None,
        "State machine": execution.machine,
        "Execution": execution.name,
    }


def _results(app: App, executions: Sequence[Execution]) -> list[Classified]:
    """Results in the order of the executions; this session keeps those that ended, as they no longer change."""
    kept: dict[str, Classified] = st.session_state.setdefault(_RESULTS, {})
    missing = [one for one in executions if one.stopped is None or one.name not in kept]
    new = dict(zip((one.name for one in missing), classification.results(app, missing), strict=True))
    kept.update({one.name: new[one.name] for one in missing if one.stopped})
    return [new[one.name] if one.name in new else kept[one.name] for one in executions]


def _thumbnail(app: App, key: str | None) -> str:
    """The image as a data URI, which saves a request per row. Empty if the execution is not about a single image."""
    return f"data:image/png;base64,{base64.b64encode(tile_image(app, key, key)).decode()}" if key else ""
