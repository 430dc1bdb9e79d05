"""The colours of accepted and low-confidence inferences, and the histogram of their confidences."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from scones_core.ui.shell.chart_theme import LEGEND, alt, drawable, ink

ACCEPTED, LOW, LINE = "#3f6e94", "#c8622a", "#8f8578"  # blue and orange: told apart without red or green
KINDS = ["Accepted", "Low-confidence"]
COLOURS = alt.Scale(domain=KINDS, range=[ACCEPTED, LOW])
PERCENT = alt.Axis(format=".0%")


def confidence_histogram(
    rows: Sequence[Mapping[str, float]],
    threshold: float,
    *,
    key: str,
    height: int = 250,
    on_select: Callable[[], None] | None = None,
) -> None:
    """rows: `{from, to, inferences, low_confidence}`; the bin that the threshold cuts is cut in the chart too.

    on_select : called when a bar is clicked; the selection “bar” then has `from` and `to` of the whole bin.
    """
    data = pd.DataFrame(rows)
    filled = data[data["inferences"] > 0]
    first = min(float(filled["from"].min()), threshold)
    data = pd.DataFrame(_cut(rows, threshold))
    data = data[data["to"] > first]
    bar = alt.selection_point(name="bar", fields=["start", "end"], on="click", toggle=False)
    bars = (
        alt.Chart(data)
        .mark_bar(binSpacing=2)
        .encode(
            x=alt.X("from:Q", bin="binned", title="Confidence", axis=PERCENT, scale=alt.Scale(domain=[first, 1])),
            x2=alt.X2("to:Q"),
            y=alt.Y("inferences:Q", title="Captured inferences", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("kind:N", title=None, scale=COLOURS, legend=LEGEND),
            tooltip=[
                alt.Tooltip("kind:N", title="Kind"),
                alt.Tooltip("from:Q", title="From", format=".3~%"),
                alt.Tooltip("to:Q", title="To", format=".3~%"),
                alt.Tooltip("inferences:Q", title="Inferences", format=","),
            ],
        )
    )
    selectable: dict[str, Any] = {}
    if on_select:
        bars = bars.encode(opacity=alt.condition(bar, alt.value(1), alt.value(0.4))).add_params(bar)
        selectable = {"on_select": on_select, "selection_mode": "bar"}
    top = filled.sort_values("inferences").iloc[-1]
    st.altair_chart(
        drawable((bars + rule("x", threshold)).properties(height=height)),
        width="stretch",
        key=key,
        **selectable,
        alt=f"Histogram of {int(data['inferences'].sum()):,} confidences; most lie between {top['from']:.0%} and "
        f"{top['to']:.0%}.",
    )


def _cut(rows: Sequence[Mapping[str, float]], threshold: float) -> list[dict[str, Any]]:
    """The bins as bars of one kind each: `{from, to, inferences, kind}`, with start and end of the bin."""
    bars = []
    for row in rows:
        start, end, low = row["from"], row["to"], row["low_confidence"]
        edge = min(max(start, threshold), end)
        parts = ((start, edge, low, KINDS[1]), (edge, end, row["inferences"] - low, KINDS[0]))
        whole = {"start": start, "end": end}
        bars += [{"from": a, "to": b, "inferences": n, "kind": kind, **whole} for a, b, n, kind in parts if b > a or n]
    return bars


def rule(axis: str, threshold: float) -> alt.LayerChart:
    """The threshold as a dashed line, with its value beside the plot."""
    base = alt.Chart(pd.DataFrame({"at": [threshold], "label": [f"{threshold:.2f}"]}))
    line = base.mark_rule(strokeDash=[6, 4], size=2, color=LINE).encode(alt.Y("at:Q") if axis == "y" else alt.X("at:Q"))
    if axis == "y":
        beside = base.mark_text(align="left", dx=5, color=ink(), fontWeight=700)
        beside = beside.encode(y=alt.Y("at:Q"), x=alt.value("width"))
    else:
        beside = base.mark_text(baseline="bottom", dy=-4, color=ink(), fontWeight=700)
        beside = beside.encode(x=alt.X("at:Q"), y=alt.value(0))
    return alt.LayerChart(layer=[line, beside.encode(text=alt.Text("label:N"))])
