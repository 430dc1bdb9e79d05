"""One execution: the graph of its state machine, and what each state did."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import streamlit as st

from scones_core.domain.history import StateRun, StateStatus, state_runs
from scones_core.ports import Execution, ExecutionStatus
from scones_core.services import App, classification
from scones_core.ui.graph import state_graph
from scones_core.ui.graph_model import inner_machines
from scones_core.ui.images import tile_image
from scones_core.ui.widgets import Colour, utc

_EVERY = 1.0  # seconds between two looks at a running execution
_LONGEST = 160  # letters of a text shown in an input or output; the download has all
_COLOURS: dict[str, tuple[Colour, str]] = {
    StateStatus.SUCCEEDED: ("green", ":material/check_circle:"),
    StateStatus.FAILED: ("red", ":material/error:"),
    StateStatus.CAUGHT: ("orange", ":material/warning:"),
    StateStatus.RUNNING: ("blue", ":material/progress_activity:"),
    StateStatus.ABORTED: ("gray", ":material/do_not_disturb_on:"),
    StateStatus.NOT_REACHED: ("gray", ":material/radio_button_unchecked:"),
}
_EXECUTION_COLOURS: dict[ExecutionStatus, StateStatus] = {
    ExecutionStatus.SUCCEEDED: StateStatus.SUCCEEDED,
    ExecutionStatus.FAILED: StateStatus.FAILED,
    ExecutionStatus.TIMED_OUT: StateStatus.FAILED,
    ExecutionStatus.RUNNING: StateStatus.RUNNING,
    ExecutionStatus.ABORTED: StateStatus.ABORTED,
}


def execution_view(app: App, name: str) -> None:
    """Everything about one execution; looks again every second while it runs. Raises NotFound."""
    running = classification.describe(app, name).status is ExecutionStatus.RUNNING
    st.fragment(run_every=_EVERY if running else None)(_view)(app, name, running)


def _view(app: App, name: str, was_running: bool) -> None:
    execution = classification.describe(app, name)
    if was_running and execution.stopped:
        st.rerun()
    events = classification.history(app, name)
    definition = classification.definition(app, execution.machine)
    runs = state_runs(events)
    _heading(execution)
    left, right = st.columns([5, 6], gap="large")
    with left:
        chosen = _choose_state(execution, definition, runs)
    with right:
        _state(app, chosen, [run for run in runs if run.name == chosen])
    _documents(execution, definition, events, runs)


def _heading(execution: Execution) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(execution.name, anchor=False, width="content")
        _badge(str(execution.status).replace("_", " ").capitalize(), _EXECUTION_COLOURS[execution.status])
    lasted = f" · {_seconds(execution.stopped - execution.started)}" if execution.stopped else ""
    st.caption(f"State machine `{execution.machine}` · started {utc(execution.started)}{lasted}")


def _badge(text: str, status: StateStatus) -> None:
    colour, icon = _COLOURS[status]
    st.badge(text, icon=icon, color=colour)


def _choose_state(execution: Execution, definition: Mapping[str, Any], runs: Sequence[StateRun]) -> str:
    """The graph, whose states can be clicked, and a list of the states for keyboards; both show the same choice."""
    key = f"state-{execution.name}"
    names = _names(definition)
    st.session_state.setdefault(key, _first_shown(names, runs))
    state_graph(definition, runs, selected=st.session_state[key], key=f"graph-{execution.name}", choice=key)
    chosen: str = st.selectbox("State", names, key=key, help="Or choose a state in the graph.")
    return chosen


def _names(definition: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    for name, state in definition["States"].items():
        names.append(name)
        for machine in inner_machines(state):
            names.extend(_names(machine))
    return names


def _first_shown(names: Sequence[str], runs: Sequence[StateRun]) -> str:
    """What one looks for: where it went wrong, or else where it ended."""
    failed = [run.name for run in runs if run.status is StateStatus.FAILED]
    return next((name for name in [*failed[-1:], *[run.name for run in runs][-1:]] if name in names), names[0])


def _state(app: App, name: str, visits: Sequence[StateRun]) -> None:
    if not visits:
        st.markdown(f"#### {_plain(name)}")
        _badge("Not reached", StateStatus.NOT_REACHED)
        st.write("The execution did not come to this state, so that there is no input and no output.")
        return
    run = _choose_visit(name, visits)
    with st.container(horizontal=True, gap="medium"):
        with st.container(width="stretch"):
            st.markdown(f"#### {_plain(name)}")
            _badge(str(run.status).capitalize(), run.status)
            _facts(run)
        if run.image:
            st.image(tile_image(app, run.image, run.image), run.image, width=132, alt=f"The image {run.image}")
    if run.error:
        st.error(f"**{_plain(run.error)}**  \n{_plain(run.message)}", icon=":material/error:")
    _data(run)


def _choose_visit(name: str, visits: Sequence[StateRun]) -> StateRun:
    if len(visits) == 1:
        return visits[0]
    chosen: int = st.selectbox(
        "Iteration" if visits[0].iterations else "Visit",
        range(len(visits)),
        format_func=lambda index: f"{index + 1} of {len(visits)}: {visits[index].status}",
        key=f"visit-{name}-{visits[0].entered}",
    )
    return visits[chosen]


def _facts(run: StateRun) -> None:
    facts = [
        f"**Type** {run.type}",
        f"**Duration** {_seconds(run.duration)}",
        f"**Retries** {run.retries}",
        f"**Entered** {utc(run.entered)}",
    ]
    st.markdown("  \n".join(facts))


def _data(run: StateRun) -> None:
    given, gave = st.tabs([":material/login: Input", ":material/logout: Output"])
    with given:
        st.json(_shortened(run.input), expanded=3)
    with gave:
        if run.exited and run.status in (StateStatus.SUCCEEDED, StateStatus.CAUGHT):
            st.json(_shortened(run.output), expanded=3)
        else:
            st.caption("There is no output: the execution did not leave this state normally.")


def _documents(
    execution: Execution, definition: Mapping[str, Any], events: Sequence[Mapping[str, Any]], runs: Sequence[StateRun]
) -> None:
    """The graph in words, the definition and the events, each to read and to take along."""
    with st.expander("States in words", icon=":material/list:"):
        st.markdown("\n".join(f"1. {_in_words(run)}" for run in runs[:200]) or "No state was entered.")
    with st.expander("Definition", icon=":material/data_object:"):
        text = json.dumps(definition, indent=2, ensure_ascii=False)
        _download("Download definition", lambda: text, f"{execution.machine}.asl.json")
        st.code(text, language="json", height=360)
    with st.expander(f"History ({len(events):,} events)", icon=":material/history:"):
        _download("Download history", lambda: json.dumps(list(events), indent=2), f"{execution.name}.json")
        rows = [{"Id": event["id"], "Time": event["timestamp"], "Event": event["type"]} for event in events[:2000]]
        st.dataframe(rows, hide_index=True, height=280, alt="The events of the execution")


def _download(label: str, text: Callable[[], str], file_name: str) -> None:
    """The text is made when the button is pressed."""
    st.download_button(label, text, file_name, "application/json", icon=":material/download:", on_click="ignore")


def _in_words(run: StateRun) -> str:
    iteration = f" (iteration {', '.join(str(index + 1) for index in run.iterations)})" if run.iterations else ""
    error = f": {_plain(run.error)}" if run.error else ""
    return f"**{_plain(run.name)}**{iteration} {run.status} after {_seconds(run.duration)}{error}"


def _seconds(duration: timedelta | None) -> str:
    if duration is None:
        return "–"
    seconds = duration.total_seconds()
    if seconds < 0.001:
        return "< 1 ms"
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.2f} s"


def _shortened(value: Any) -> Any:
    """The value with long texts, such as an image in base64, cut."""
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}… ({len(value):,} characters)"
    if isinstance(value, Mapping):
        return {key: _shortened(entry) for key, entry in value.items()}
    return [_shortened(entry) for entry in value] if isinstance(value, list) else value


def _plain(text: str) -> str:
    """Text from outside, with nothing in it that Markdown would read as markup."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()<>#+!|$:~" else letter for letter in text)
