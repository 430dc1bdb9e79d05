"""Altair with the app's theme: the charts' texts have a contrast of at least 4.5, which Streamlit's own grey has not.

Charts import `alt` from here. The theme follows that of the viewer, for each session.
"""

from typing import Any

import altair as alt
import streamlit as st
from altair.utils.schemapi import disable_debug_mode

__all__ = ["DARK_INK", "LIGHT_INK", "alt", "ink"]

disable_debug_mode()  # a chart is validated when it is drawn; in debug mode each of its parts is, too, when it is made

LIGHT_INK, DARK_INK = "#635a4d", "#b5aa9b"


def ink() -> str:
    """The colour of text in a chart, for the viewer's theme."""
    return DARK_INK if st.context.theme.type == "dark" else LIGHT_INK


@alt.theme.register("scones", enable=True)
def _theme() -> "alt.theme.ThemeConfig":
    text = {"labelColor": ink(), "titleColor": ink()}
    config: Any = {"axis": text, "legend": text, "header": text}
    return {"config": config}
