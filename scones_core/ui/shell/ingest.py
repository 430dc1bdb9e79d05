"""Reading of captured inferences, on a button press and automatically when a page opens."""

import time

import streamlit as st

from scones_core.services import App, capture
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.session import shown_errors

_DUE = "ingest_due"
_EVERY = 5.0  # seconds between two automatic ingests
_SHARE = 20  # and at least this many times the duration of the last one


def ingest(app: App, *, recent: bool = False) -> str:
    """Read inferences captured since the last read, or only `recent` ones; returns a message for the user."""
    return _ingest(app, st.empty(), recent=recent)


def _ingest(app: App, place: "st.delta_generator.DeltaGenerator", *, recent: bool) -> str:
    started = time.monotonic()

    def progress(done: int, total: int | None, what: str) -> None:
        place.progress(done / max(1, total or done), f"{done:,} {what}")

    found = capture.ingest(app, recent=recent, progress=progress)
    place.empty()
    ended = time.monotonic()
    st.session_state[_DUE] = ended + max(_EVERY, _SHARE * (ended - started))
    unreadable = f", {found.quarantined:,} could not be read" if found.quarantined else ""
    return f"{found.new:,} new captured inferences{unreadable}."


def ingest_on_opening(app: App) -> None:
    """Ingest, unless this session did so moments ago."""
    place = st.empty()  # always: elements that move are drawn anew, and what is open in them closes
    if time.monotonic() >= st.session_state.get(_DUE, 0.0):
        with shown_errors():
            _ingest(app, place, recent=True)


def read_button(app: App) -> None:
    action_button(
        "Read captured inferences",
        lambda: ingest(app),
        key="ingest",
        icon=":material/sync:",
        help="Reads all inferences captured since the last read, of any day. Recent ones are read by themselves.",
    )


def keep_reading(app: App) -> None:
    """Read recent captures while the page is open, and rerun it once there are new ones."""
    before = capture.captured(app)

    @st.fragment(run_every=_EVERY)
    def reading() -> None:
        if time.monotonic() >= st.session_state.get(_DUE, 0.0):
            started = time.monotonic()
            with shown_errors():
                capture.read_recent(app)
            st.session_state[_DUE] = time.monotonic() + max(_EVERY, _SHARE * (time.monotonic() - started))
        if capture.captured(app) != before:
            st.rerun()

    reading()
