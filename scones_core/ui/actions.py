"""Buttons that write: each press counts once, and what came of it survives the rerun."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from scones_core.errors import SconesError

_PRESSES = "action_presses"
_PRESSED = "action_pressed"
_OUTCOME = "action_outcome"
DOUBLE_CLICK = 1.0  # seconds


@dataclass(frozen=True)
class Outcome:
    ok: bool
    text: str


def action_button(
    label: str,
    action: Callable[[], str | None],
    *,
    key: str,
    icon: str,
    primary: bool = False,
    disabled: bool = False,
    help: str | None = None,
    width: str = "content",
) -> None:
    """A button that calls `action` and runs the page again; `action` returns what to tell the user, or None.

    A second press that was made on the same rendering, or within a second, changes nothing: every rendering after an
    accepted press has another widget key.
    """
    presses = st.session_state.setdefault(_PRESSES, {})
    name = f"{key}-{presses.get(key, 0)}"
    kind = "primary" if primary else "secondary"
    if st.button(label, key=name, icon=icon, type=kind, disabled=disabled, help=help, width=width):  # type: ignore[arg-type]
        presses[key] = presses.get(key, 0) + 1
        if _accepted(key):
            _carry_out(action)
        st.rerun()


def _accepted(key: str) -> bool:
    pressed = st.session_state.setdefault(_PRESSED, {})
    now, before = time.monotonic(), pressed.get(key, -DOUBLE_CLICK)
    pressed[key] = now
    return bool(now - before >= DOUBLE_CLICK)


def _carry_out(action: Callable[[], str | None]) -> None:
    try:
        text = action()
    except SconesError as error:
        st.session_state[_OUTCOME] = Outcome(False, str(error))
    else:
        if text:
            st.session_state[_OUTCOME] = Outcome(True, text)


def show_outcome() -> None:
    """Say once what came of the last action: an error as a message on the page, a success as a toast."""
    outcome: Outcome | None = st.session_state.pop(_OUTCOME, None)
    if outcome is None:
        return
    if outcome.ok:
        st.toast(outcome.text, icon=":material/check_circle:")
    else:
        st.error(outcome.text, icon=":material/error:")
