"""Altair with the app's theme: the charts' texts have a contrast of at least 4.5, which Streamlit's own grey has not.

Charts import `alt` from here. The theme follows that of the viewer, for each session.
"""

from typing import Any, cast

import altair as alt
import streamlit as st
from altair.utils.schemapi import disable_debug_mode

__all__ = ["DARK_INK", "LEGEND", "LIGHT_INK", "alt", "drawable", "ink"]

disable_debug_mode()  # else each part of a chart is validated when it is made
VALIDATES = False  # a chart when it is drawn, half of the time that this takes: the tests do

LEGEND = alt.Legend(orient="top", columns=alt.ExprRef("max(1, floor(width / 100))"))  # wraps in a narrow chart
LIGHT_INK, DARK_INK = "#635a4d", "#b5aa9b"


def ink() -> str:
    """The colour of text in a chart, for the viewer's theme."""
    return DARK_INK if st.context.theme.type == "dark" else LIGHT_INK


class _Drawable:
    def __init__(self, chart: alt.TopLevelMixin) -> None:
        self._chart = chart

    def to_dict(self) -> dict[str, Any]:
        return self._chart.to_dict(validate=VALIDATES)


def drawable(chart: alt.TopLevelMixin) -> alt.Chart:
    """What st.altair_chart draws of a chart: the same, with `VALIDATES` for Altair's validation."""
    return cast("alt.Chart", _Drawable(chart))


@alt.theme.register("scones", enable=True)
def _theme() -> "alt.theme.ThemeConfig":
    text = {"labelColor": ink(), "titleColor": ink()}
    config: Any = {"axis": text, "legend": text, "header": text}
    return {"config": config}
