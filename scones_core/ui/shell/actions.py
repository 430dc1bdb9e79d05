"""Buttons that write: a double click counts once, and the result survives the rerun."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from scones_core.errors import SconesError
from scones_core.ui.shell.text import plain

_ENDED = "action_ended"
_OUTCOME = "action_outcome"
DOUBLE_CLICK = 1.0  # seconds


@dataclass(frozen=True)
class ActionResult:
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
) -> None:
    """A button that calls `action` and reruns the page; `action` returns a message for the user, or None.

    The second press of a double click reaches the script right after the action has ended; it is ignored.
    """
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    if st.button(label, key=key, icon=icon, type=kind, disabled=disabled, help=help):
        ended: dict[str, float] = st.session_state.setdefault(_ENDED, {})
        if time.monotonic() - ended.get(key, -DOUBLE_CLICK) >= DOUBLE_CLICK:
            _carry_out(action)
            ended[key] = time.monotonic()
        st.rerun()


def confirm_or_cancel(label: str, action: Callable[[], str | None], *, key: str, icon: str, disabled: bool) -> None:
    """The two buttons of a dialog: one carries out the action, the other closes the dialog."""
    with st.container(horizontal=True):
        action_button(label, action, key=f"confirm_{key}", icon=icon, primary=True, disabled=disabled)
        if st.button("Cancel", key=f"cancel_{key}", icon=":material/close:"):
            st.rerun()


def _carry_out(action: Callable[[], str | None]) -> None:
    try:
        text = action()
    except SconesError as error:
        st.session_state[_OUTCOME] = ActionResult(False, str(error))
    else:
        if text:
            st.session_state[_OUTCOME] = ActionResult(True, text)


def show_outcome() -> None:
    """Show the result of the last action once: an error as a message on the page, a success as a toast."""
    outcome: ActionResult | None = st.session_state.pop(_OUTCOME, None)
    if outcome is None:
        return
    if outcome.ok:
        st.toast(plain(outcome.text), icon=":material/check_circle:")
    else:
        st.error(plain(outcome.text), icon=":material/error:")
