"""Icons within text are hidden from screen readers, which would read their names: “flag icon”.

Streamlit hides those of buttons itself. The words beside an icon say what it means.
"""

from functools import cache
from typing import Any

import streamlit as st

_SILENCE = """export default function () {
  if (window.sconesIcons) return
  const silence = () => document.querySelectorAll('[role=img][aria-label$=" icon"]:not([aria-hidden])')
    .forEach((icon) => icon.setAttribute('aria-hidden', 'true'))
  let due
  window.sconesIcons = new MutationObserver(() => {
    due ??= setTimeout(() => { due = undefined; silence() }, 200)  // milliseconds: once for many changes
  })
  window.sconesIcons.observe(document.body, { subtree: true, childList: true })
  silence()
}"""


def silence_icons() -> None:
    """To call once a page, anywhere on it."""
    _component()(key="silent_icons", height=1)


@cache
def _component() -> Any:
    return st.components.v2.component("scones_silent_icons", html="", js=_SILENCE)
