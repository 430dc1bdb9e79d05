"""Charts of evidence."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from scones_core.domain.audit import ConfidenceBin
from scones_core.ui.shell.chart_theme import alt, drawable
from scones_core.ui.shell.confidence_chart import ACCEPTED, LINE, PERCENT


def reliability(bins: Sequence[ConfidenceBin], *, key: str, what: str) -> None:
    """Accuracy with its 95% interval against confidence, per bin; on the diagonal the model is calibrated."""
    rows = [
        {
            "confidence": one.confidence,
            "accuracy": one.accuracy.value,
            "low": one.accuracy.interval[0],
            "high": one.accuracy.interval[1],
            "labels": one.accuracy.labels,
        }
        for one in bins
    ]
    data = pd.DataFrame(rows)
    first, lowest = min(0.5, float(data["confidence"].min())), min(0.5, float(data["low"].min()))
    scale, heights = alt.Scale(domain=[first, 1]), alt.Scale(domain=[lowest, 1])
    base = alt.Chart(data).encode(
        x=alt.X("confidence:Q", title="Confidence", scale=scale, axis=PERCENT),
        tooltip=[
            alt.Tooltip("confidence:Q", title="Mean confidence", format=".1%"),
            alt.Tooltip("accuracy:Q", title="Accuracy", format=".1%"),
            alt.Tooltip("low:Q", title="Interval from", format=".1%"),
            alt.Tooltip("high:Q", title="to", format=".1%"),
            alt.Tooltip("labels:Q", title="Labels"),
        ],
    )
    line = alt.Chart(pd.DataFrame({"x": [first, 1.0], "y": [first, 1.0]}))
    diagonal = line.mark_line(strokeDash=[4, 4], color=LINE).encode(x=alt.X("x:Q"), y=alt.Y("y:Q"))
    spans = base.mark_rule(color=ACCEPTED, strokeWidth=2).encode(
        y=alt.Y("low:Q", title="Accuracy", scale=heights, axis=PERCENT), y2=alt.Y2("high:Q")
    )
    points = base.mark_point(filled=True, size=70, color=ACCEPTED, opacity=1).encode(y=alt.Y("accuracy:Q"))
    words = "; ".join(f"{row['confidence']:.0%}: {row['accuracy']:.0%}" for row in rows)
    st.altair_chart(
        drawable((diagonal + spans + points).properties(height=260)),
        width="stretch",
        key=key,
        alt=f"Accuracy by confidence of {what}: {words}.",
    )
