"""One execution: the graph of its state machine, and its states."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from scones_core.domain.history import StateRun, StateStatus, state_runs
from scones_core.ports import Execution, ExecutionStatus
from scones_core.services import App, batch, classification
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import time_text
from scones_core.ui.workflow.events import event_table, timeline
from scones_core.ui.workflow.execution_table import CHOSEN
from scones_core.ui.workflow.graph.component import state_graph
from scones_core.ui.workflow.graph.model import Definition, all_names, fanned_out
from scones_core.ui.workflow.state_view import MapRuns, in_words, seconds, state_view, status_badge

_EVERY = 1.0  # seconds between updates of a running execution
_EXECUTION_COLOURS: dict[ExecutionStatus, StateStatus] = {
    ExecutionStatus.SUCCEEDED: StateStatus.SUCCEEDED,
    ExecutionStatus.FAILED: StateStatus.FAILED,
    ExecutionStatus.TIMED_OUT: StateStatus.FAILED,
    ExecutionStatus.RUNNING: StateStatus.RUNNING,
    ExecutionStatus.ABORTED: StateStatus.ABORTED,
}


@dataclass(frozen=True)
class ExecutionDetail:
    """An execution with its definition and events, of this app or from a file."""

    execution: Execution
    definition: Definition
    events: Sequence[Mapping[str, Any]]
    map_runs: MapRuns = ()


def execution_view(app: App, name: str) -> None:
    """Everything about one execution; refreshes every second while it runs. Raises NotFound."""
    running = classification.describe(app, name).status is ExecutionStatus.RUNNING
    st.fragment(run_every=_EVERY if running else None)(_view)(app, name, running)


def _view(app: App, name: str, was_running: bool) -> None:
    execution = classification.describe(app, name)
    if was_running and execution.stopped:
        st.rerun()
    events = classification.history(app, name)
    definition = classification.definition(app, execution)
    detail = ExecutionDetail(execution, definition, events, batch.map_runs(app, name))
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(gap=None, width="content"):
            _heading(execution)
        _run_again(app, execution)
    _states(app, detail)


def _run_again(app: App, execution: Execution) -> None:
    def start() -> str:
        started = classification.run_again(app, execution)
        st.query_params[CHOSEN] = started.name
        return f"{started.name} started"

    action_button(
        "Run again with this input",
        start,
        key=f"run_again_{execution.name}",
        icon=":material/replay:",
        disabled=execution.stopped is None,
        help=None if execution.stopped else "The execution is still running.",
    )


def execution_detail(app: App, told: ExecutionDetail) -> None:
    """The same view for an execution from a file."""
    _heading(told.execution)
    _states(app, told)


def _states(app: App, told: ExecutionDetail) -> None:
    """The graph, the chosen state, and everything to read and to download."""
    runs = state_runs(told.events)
    left, right = st.columns([5, 6], gap="large")
    with left:
        chosen = _choose_state(told, runs)
    with right:
        elsewhere = chosen in fanned_out(told.definition, {run.name for run in runs})
        visits = [run for run in runs if run.name == chosen]
        state_view(app, chosen, visits, told.map_runs, fanned_out=elsewhere)
    _documents(told, runs)


def _heading(execution: Execution) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(plain(execution.name), anchor=False, width="content")
        status_badge(str(execution.status).replace("_", " ").capitalize(), _EXECUTION_COLOURS[execution.status])
    lasted = f" · {seconds(execution.stopped - execution.started)}" if execution.stopped else ""
    error = f" · {plain(execution.error)}" if execution.error else ""
    st.caption(f"State machine {plain(execution.machine)} · started {time_text(execution.started)}{lasted}{error}")


def _choose_state(told: ExecutionDetail, runs: Sequence[StateRun]) -> str:
    """The clickable graph, and a list of the states for keyboard users; both show the same selection."""
    key = f"state-{told.execution.name}"
    names = all_names(told.definition)
    if st.session_state.get(key) not in names:
        st.session_state[key] = _first_shown(names, runs)
    state_graph(told.definition, runs, selected=st.session_state[key], key=f"graph-{told.execution.name}", choice=key)
    chosen: str = st.selectbox("State", names, key=key, help="Or click a state in the graph.")
    return chosen


def _first_shown(names: Sequence[str], runs: Sequence[StateRun]) -> str:
    """The state shown first: the last failed one, else the last one."""
    failed = [run.name for run in runs if run.status is StateStatus.FAILED]
    return next((name for name in [*failed[-1:], *[run.name for run in runs][-1:]] if name in names), names[0])


def _documents(told: ExecutionDetail, runs: Sequence[StateRun]) -> None:
    """Timeline, states in words, definition and events, to read and to download."""
    execution, events = told.execution, told.events
    if runs:
        with st.expander("Timeline", icon=":material/view_timeline:"):
            timeline(runs, key=f"timeline-{execution.name}")
    with st.expander("States in words", icon=":material/list:"):
        st.markdown("\n".join(f"1. {in_words(run)}" for run in runs[:200]) or "No state was entered.")
    with st.expander("Definition", icon=":material/data_object:"):
        definition_text(told.definition, execution.machine, key=f"definition-{execution.name}")
    with st.expander(f"History ({len(events):,} events)", icon=":material/history:"):
        _download("Download execution", lambda: exported_text(told), f"{execution.name}.json", execution.name)
        event_table(events)


def exported_text(told: ExecutionDetail) -> str:
    """The execution in the console's form, which the section Import reads."""
    execution = told.execution
    described = {
        "name": execution.name,
        "stateMachineArn": execution.machine,
        "status": str(execution.status),
        "startDate": execution.started.isoformat(),
        "input": json.dumps(execution.input),
    }
    document = {
        "execution": described,
        "stateMachine": {"definition": json.dumps(told.definition)},
        "events": list(told.events),
    }
    return json.dumps(document, indent=2)


def definition_text(definition: Definition, machine: str, *, key: str) -> None:
    """A definition as JSON, to read and to download."""
    text = json.dumps(definition, indent=2, ensure_ascii=False)
    _download("Download definition", lambda: text, f"{machine}.asl.json", key)
    st.code(text, language="json", wrap_lines=True)


def _download(label: str, text: Callable[[], str], file_name: str, key: str) -> None:
    """`text` is called when the button is pressed."""
    st.download_button(
        label, text, file_name, "application/json", icon=":material/download:", on_click="ignore", key=f"download-{key}"
    )
