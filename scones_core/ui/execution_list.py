"""Executions: starting a batch of them, and the table to choose one from."""

import base64
import uuid
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from scones_core.domain.history import image_key
from scones_core.ports import Execution, ExecutionStatus
from scones_core.services import App, classification
from scones_core.services.classification import Classified
from scones_core.ui.images import tile_image
from scones_core.ui.session import get_background
from scones_core.ui.workflow_input import ChosenImages, forget_choice

_SESSION = "workflow_session"
_CHOSEN = "execution"  # in the page's URL
_EVERY = "All"
_FILTERS: dict[str, ExecutionStatus | None] = {
    _EVERY: None,
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


def batch_name() -> str:
    """The background task that runs this session's executions."""
    return f"classify-{st.session_state.setdefault(_SESSION, uuid.uuid4().hex)}"


def start_batch(app: App, chosen: ChosenImages, workers: int) -> None:
    """Start one execution per chosen image in the background. Raises Conflict while a batch runs, BadInput."""
    keys = chosen.keys()
    get_background().start(
        batch_name(),
        "Classifying",
        lambda progress: classification.classify(app, keys, workers=workers, progress=progress),
    )
    forget_choice()
    _forget_chosen()


def batch_outcome() -> None:
    """What became of this session's last batch, once it has ended."""
    task = get_background().get(batch_name())
    if task is None or task.running or task.error:
        return
    told: list[Classified] = task.result
    low = sum(one.error == classification.LOW_CONFIDENCE for one in told)
    accepted = sum(one.status == ExecutionStatus.SUCCEEDED for one in told)
    failed = len(told) - accepted - low
    ended = (
        f"{len(told)} execution{'' if len(told) == 1 else 's'} ended: {accepted} accepted, {low} with low confidence"
    )
    if failed:
        st.warning(f"{ended}, {failed} failed otherwise; choose one below to see why.", icon=":material/warning:")
    else:
        st.success(f"{ended}.", icon=":material/task_alt:")


def status_filter() -> ExecutionStatus | None:
    chosen = st.segmented_control(
        "Status", list(_FILTERS), default=_EVERY, required=True, key="workflow_status", on_change=_forget_chosen
    )
    return _FILTERS[chosen]


def page_size() -> int:
    """How many executions to show: twenty, and more for every press of the button below the table."""
    return _PAGE * int(st.session_state.get("workflow_pages", 1))


def more_button(shown: int) -> None:
    if shown >= page_size():
        st.button(
            "Show older executions", icon=":material/expand_more:", key="workflow_more", on_click=_more, type="tertiary"
        )


def _more() -> None:
    st.session_state["workflow_pages"] = st.session_state.get("workflow_pages", 1) + 1


def executions_table(app: App, executions: Sequence[Execution], threshold: float) -> str:
    """The table, newest first; gives the name of the chosen execution, at first the newest. A choice is in the URL."""
    names = [execution.name for execution in executions]
    wanted = st.query_params.get(_CHOSEN, names[0])
    marked = [names.index(wanted)] if wanted in names else []
    event = st.dataframe(
        pd.DataFrame([_row(app, execution) for execution in executions]),
        key=f"executions-{names[0]}-{len(names)}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": marked}},
        row_height=44,
        height=min(400, 44 * len(names) + 40),
        column_config=_columns(threshold),
        placeholder="–",
        alt=f"The {len(names)} newest executions with image, prediction and confidence",
    )
    chosen: list[int] = event["selection"]["rows"]
    if not chosen or chosen == marked:
        return wanted
    st.query_params[_CHOSEN] = names[chosen[0]]
    return names[chosen[0]]


def _forget_chosen() -> None:
    st.query_params.pop(_CHOSEN, None)


def _columns(threshold: float) -> dict[str, Any]:
    return {
        "Image": st.column_config.ImageColumn(width=60),
        "Status": st.column_config.MultiselectColumn(
            options=[text for text, _ in STATUSES.values()],
            color=[colour for _, colour in STATUSES.values()],
            width=100,
        ),
        "Confidence": st.column_config.ProgressColumn(
            format="percent", min_value=0.0, max_value=1.0, help=f"Above {threshold:.0%} the inference is accepted."
        ),
        "Error": st.column_config.TextColumn(width=150),
        "Started (UTC)": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
        "Duration": st.column_config.NumberColumn(format="%.2f s", width="small"),
    }


def _row(app: App, execution: Execution) -> dict[str, Any]:
    told = _told(app, execution)
    stopped = execution.stopped
    return {
        "Image": _thumbnail(app, image_key(execution.input)),
        "Status": [STATUSES[execution.status][0]],
        "Prediction": (told.prediction or "–").replace("_", " "),
        "Confidence": told.confidence,
        "Error": execution.error or "",
        "Started (UTC)": execution.started.replace(tzinfo=None),
        "Duration": (stopped - execution.started).total_seconds() if stopped else None,
        "State machine": execution.machine,
        "Execution": execution.name,
    }


def _told(app: App, execution: Execution) -> Classified:
    """What an execution said; kept once it has ended, for it never changes then."""
    if execution.stopped is None:
        return classification.classified(app, execution)
    return _told_at_last(app, execution.name, execution)


@st.cache_data(show_spinner=False, max_entries=5000)
def _told_at_last(_app: App, name: str, _execution: Execution) -> Classified:
    return classification.classified(_app, _execution)


def _thumbnail(app: App, key: str | None) -> str:
    """The image as a data URI: rows then need no request each. Empty where an execution is about no one image."""
    return f"data:image/png;base64,{base64.b64encode(tile_image(app, key, key)).decode()}" if key else ""
