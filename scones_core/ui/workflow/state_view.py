"""One state of an execution: status, duration, image, input, output and failures."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import streamlit as st

from scones_core.domain.history import StateRun, StateStatus
from scones_core.services import App
from scones_core.ui.shell.images import stored_tile
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import time_text
from scones_core.ui.shell.widgets import Colour

_LONGEST = 160  # characters shown of a text in an input or output; the download is complete
_COLOURS: dict[str, tuple[Colour, str]] = {
    StateStatus.SUCCEEDED: ("green", ":material/check_circle:"),
    StateStatus.FAILED: ("red", ":material/error:"),
    StateStatus.CAUGHT: ("orange", ":material/warning:"),
    StateStatus.RUNNING: ("blue", ":material/progress_activity:"),
    StateStatus.ABORTED: ("gray", ":material/do_not_disturb_on:"),
    StateStatus.NOT_REACHED: ("gray", ":material/radio_button_unchecked:"),
    StateStatus.FANNED_OUT: ("violet", ":material/dynamic_feed:"),
}
_COUNTS = ("succeeded", "failed", "running", "pending", "timedOut", "aborted")
MapRuns = Sequence[Mapping[str, Any]]


def status_badge(text: str, status: StateStatus) -> None:
    colour, icon = _COLOURS[status]
    st.badge(text, icon=icon, color=colour)


def state_view(app: App, name: str, visits: Sequence[StateRun], map_runs: MapRuns, *, fanned_out: bool) -> None:
    """The named state; if it was visited several times, as in a Map or a loop, one of the visits."""
    if not visits:
        _without_visit(name, fanned_out)
        return
    run = _choose_visit(name, visits)
    with st.container(horizontal=True, gap="medium"):
        with st.container(width="stretch"):
            st.markdown(f"### {plain(name)}")
            status_badge(str(run.status).capitalize(), run.status)
            _facts(run)
        if run.image and (tile := stored_tile(app, run.image)):
            st.image(tile, run.image, width=132, alt=f"The image {run.image}")
    if run.error:
        st.error(f"**{plain(run.error)}**  \n{plain(run.message)}", icon=":material/error:")
    _items(run, map_runs)
    _data(run)


def _without_visit(name: str, fanned_out: bool) -> None:
    st.markdown(f"### {plain(name)}")
    if fanned_out:
        status_badge("Fanned out", StateStatus.FANNED_OUT)
        st.write("This state ran once per item, in child executions of its Map. Select the Map to see counts.")
    else:
        status_badge("Not reached", StateStatus.NOT_REACHED)
        st.write("This state was not reached, so it has no input or output.")


def _choose_visit(name: str, visits: Sequence[StateRun]) -> StateRun:
    if len(visits) == 1:
        return visits[0]
    chosen: int = st.selectbox(
        "Iteration" if visits[0].iterations else "Visit",
        range(len(visits)),
        format_func=lambda index: _visit_label(visits[index], index, len(visits)),
        key=f"visit-{name}-{visits[0].entered}",
    )
    return visits[chosen]


def _visit_label(run: StateRun, index: int, count: int) -> str:
    image = f" · {run.image.rsplit('/', 1)[-1]}" if run.image else ""
    return f"{index + 1} of {count}: {run.status}{f' ({run.error})' if run.error else ''}{image}"


def _facts(run: StateRun) -> None:
    earlier = run.failures[: run.retries]
    after = f" (after {plain(', '.join(dict.fromkeys(earlier)))})" if earlier else ""
    facts = [
        f"**Type** {plain(run.type)}",
        f"**Duration** {seconds(run.duration)}",
        f"**Retries** {run.retries}{after}",
        f"**Entered** {time_text(run.entered)}",
    ]
    st.markdown("  \n".join(facts))


def _items(run: StateRun, map_runs: MapRuns) -> None:
    """Item counts of a distributed Map, by outcome."""
    counts = next((told["itemCounts"] for told in map_runs if told["mapRunArn"] == run.map_run), None)
    if counts is None:
        return
    shown = {name: counts.get(name, 0) for name in _COUNTS if counts.get(name, 0) or name in _COUNTS[:2]}
    with st.container(horizontal=True):
        st.metric("Items", f"{counts.get('total', 0):,}", border=True)
        for name, count in shown.items():
            st.metric("Timed out" if name == "timedOut" else name.capitalize(), f"{count:,}", border=True)


def _data(run: StateRun) -> None:
    given, gave = st.tabs([":material/login: Input", ":material/logout: Output"])
    with given:
        st.json(_shortened(run.input), expanded=3)
    with gave:
        if run.exited and run.status in (StateStatus.SUCCEEDED, StateStatus.CAUGHT):
            st.json(_shortened(run.output), expanded=3)
        else:
            st.caption("No output: the state did not end normally.")


def in_words(run: StateRun) -> str:
    """One state run as a sentence."""
    iteration = f" (iteration {', '.join(str(index + 1) for index in run.iterations)})" if run.iterations else ""
    retries = f", {run.retries} retr{'y' if run.retries == 1 else 'ies'}" if run.retries else ""
    error = f": {plain(run.error)}" if run.error else ""
    return f"**{plain(run.name)}**{iteration} {run.status} after {seconds(run.duration)}{retries}{error}"


def seconds(duration: timedelta | None) -> str:
    if duration is None:
        return "–"
    lasted = duration.total_seconds()
    if lasted < 0.001:
        return "< 1 ms"
    return f"{lasted * 1000:,.0f} ms" if lasted < 1 else f"{lasted:,.2f} s"


def _shortened(value: Any) -> Any:
    """The value with long texts, such as base64 images, truncated."""
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}… ({len(value):,} characters)"
    if isinstance(value, Mapping):
        return {key: _shortened(entry) for key, entry in value.items()}
    return [_shortened(entry) for entry in value] if isinstance(value, list) else value
