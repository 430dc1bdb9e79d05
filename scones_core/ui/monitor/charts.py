"""Charts of captured inferences and of the threshold."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from scones_core.ui.monitor.filters import chart_key, select_time
from scones_core.ui.monitor.time_charts import CANVAS, brush, time_axis
from scones_core.ui.shell.chart_theme import LEGEND, alt, drawable, ink
from scones_core.ui.shell.confidence_chart import ACCEPTED, COLOURS, KINDS, LOW, PERCENT, rule
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import abbreviation, zone

_SHAPES = alt.Scale(domain=KINDS, range=["circle", "triangle-down"])
_PICKED = "picked"


def confidence_over_time(points: pd.DataFrame, threshold: float) -> str | None:
    """points: as `Figures.points`. Returns the event id of the clicked point; a drag selects a time."""
    key = chart_key("confidence_over_time")
    captured = points["time"].dt.tz_convert(zone()).dt.strftime("%-d %b %Y, %H:%M:%S")
    captured_title = f"Captured ({abbreviation()})"
    shown = points.assign(kind=kind(points["low"]), time=_milliseconds(points["time"]), captured=captured)
    picked = alt.selection_point(name=_PICKED, fields=["event_id"], on="click", nearest=False, toggle=False)
    axis = time_axis(points["time"].min(), points["time"].max())
    base = alt.Chart(shown).encode(
        x=alt.X(
            "time:T",
            title=captured_title,
            scale=alt.Scale(type="time", nice=False),
            axis=axis,
        ),
        y=alt.Y("confidence:Q", title="Confidence", scale=alt.Scale(domain=_reach(shown, threshold)), axis=PERCENT),
    )
    dots = (
        base.mark_point(filled=True, cursor="pointer")
        .encode(
            color=alt.Color("kind:N", title=None, scale=COLOURS, legend=LEGEND),
            shape=alt.Shape("kind:N", title=None, scale=_SHAPES, legend=LEGEND),
            opacity=alt.condition(picked, alt.value(0.8), alt.value(0.35)),
            size=alt.condition(picked, alt.value(_size(len(shown))), alt.value(30)),
            tooltip=[
                alt.Tooltip("prediction:N", title="Prediction"),
                alt.Tooltip("confidence:Q", title="Confidence", format=".1%"),
                alt.Tooltip("captured:N", title=captured_title),
            ],
        )
        .add_params(picked, brush())
    )
    low = int(points["low"].sum())
    event = st.altair_chart(
        drawable((dots + rule("y", threshold)).properties(height=330, usermeta=CANVAS)),
        width="stretch",
        key=key,
        on_select=lambda: select_time(key),
        selection_mode=(_PICKED, "brush"),
        alt=f"Confidence over time of {len(points):,} captured inferences; {low:,} at or below {threshold:.2f}.",
    )
    chosen = event["selection"].get(_PICKED) or []
    return str(chosen[0]["event_id"]) if chosen else None


def _milliseconds(times: "pd.Series[pd.Timestamp]") -> "pd.Series[int]":
    """Milliseconds since 1970, as Vega expects."""
    return (times - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(milliseconds=1)


def _reach(points: pd.DataFrame, threshold: float) -> list[float]:
    """From a little below the lowest confidence or the threshold, up to 1."""
    lowest = min(float(points["confidence"].min()), threshold)
    return [max(0.0, int(lowest * 20 - 0.2) / 20), 1.0]


def _size(count: int) -> int:
    return 64 if count < 600 else 34 if count < 2500 else 18


def kind(low: "pd.Series[bool]") -> "pd.Series[str]":
    return low.map({True: KINDS[1], False: KINDS[0]})


def confidence_finding(rows: Sequence[Mapping[str, float]], total: int) -> str:
    """Such as: 62% of confidences are between 95% and 100%."""
    top = max(rows, key=lambda row: row["inferences"])
    return f"{top['inferences'] / total:.0%} of confidences are between {top['from']:.0%} and {top['to']:.0%}"


def class_finding(rows: Sequence[Mapping[str, Any]]) -> str:
    """Such as: bicycle 51%, motorcycle 49%."""
    total, most = sum(row["inferences"] for row in rows), sorted(rows, key=lambda row: -row["inferences"])
    named = [f"{plain(row['class'].replace('_', ' '))} {row['inferences'] / total:.0%}" for row in most[:2]]
    return ", ".join(named) + (f", and {len(rows) - 2} more" if len(rows) > 2 else "") + " of predictions"


def predicted_classes(rows: Sequence[Mapping[str, Any]], *, key: str) -> None:
    """rows: `{class, inferences, low_confidence}`."""
    long = pd.DataFrame(
        [
            {
                "class": str(row["class"]).replace("_", " "),
                "kind": kind,
                "inferences": count,
                "share": count / row["inferences"],
            }
            for row in rows
            for kind, count in zip(
                KINDS, (row["inferences"] - row["low_confidence"], row["low_confidence"]), strict=True
            )
        ]
    )
    chart = (
        alt.Chart(long)
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            y=alt.Y("class:N", title=None, sort=None),
            x=alt.X("inferences:Q", title="Captured inferences", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("kind:N", title=None, scale=COLOURS, legend=LEGEND),
            order=alt.Order("kind:N"),
            tooltip=[
                alt.Tooltip("class:N", title="Predicted class"),
                alt.Tooltip("kind:N", title="Kind"),
                alt.Tooltip("inferences:Q", title="Inferences", format=","),
                alt.Tooltip("share:Q", title="Share of the class", format=".1%"),
            ],
        )
        .properties(height=max(250, 30 * len(rows) + 50))
    )
    words = "; ".join(
        f"{row['class']}: {row['inferences']:,}, {row['low_confidence'] / row['inferences']:.0%} low-confidence"
        for row in rows
    )
    st.altair_chart(drawable(chart), width="stretch", key=key, alt=f"Captured inferences by predicted class. {words}.")


def risk_coverage(rows: Sequence[Mapping[str, float | None]], threshold: float, *, key: str) -> None:
    """rows: `{threshold, coverage, risk}`, risk None if nothing is accepted; the threshold is marked."""
    names = {"coverage": "Coverage", "risk": "Error rate of accepted"}
    long = pd.DataFrame(rows).melt("threshold", list(names), var_name="figure", value_name="share").dropna()
    long = long.assign(figure=long["figure"].map(names))
    line = (
        alt.Chart(long)
        .mark_line(strokeWidth=2.5, interpolate="step-after")
        .encode(
            x=alt.X("threshold:Q", title="Threshold", scale=alt.Scale(domain=[0.5, 1.0])),
            y=alt.Y("share:Q", title=None, axis=PERCENT, scale=alt.Scale(domainMin=0)),
            color=alt.Color(
                "figure:N",
                title=None,
                scale=alt.Scale(domain=list(names.values()), range=[ACCEPTED, LOW]),
                legend=LEGEND,
            ),
            tooltip=[
                alt.Tooltip("threshold:Q", title="Threshold", format=".2f"),
                alt.Tooltip("figure:N", title="Figure"),
                alt.Tooltip("share:Q", title="Share", format=".1%"),
            ],
        )
    )
    st.altair_chart(
        drawable((line + rule("x", threshold)).properties(height=260)),
        width="stretch",
        key=key,
        alt=f"Coverage and error rate of accepted images for thresholds from 0.50 to 0.99; {threshold:.2f} is marked.",
    )


def probability_bars(probabilities: Mapping[str, float], *, key: str) -> None:
    """Class name → probability, in class order; of more than eight classes, the most probable eight."""
    rows = (
        sorted(probabilities.items(), key=lambda item: -item[1])[:8]
        if len(probabilities) > 8
        else probabilities.items()
    )
    data = pd.DataFrame([{"class": name.replace("_", " "), "probability": value} for name, value in rows])
    room_for_text = alt.ExprRef("width / max(20, width - 52)")
    base = alt.Chart(data).encode(
        y=alt.Y("class:N", title=None, sort=None),
        x=alt.X("probability:Q", title=None, axis=None, scale=alt.Scale(domainMin=0, domainMax=room_for_text)),
    )
    bars = base.mark_bar(cornerRadiusEnd=3).encode(color=alt.value(ACCEPTED))
    text = base.mark_text(align="left", dx=5, color=ink()).encode(text=alt.Text("probability:Q", format=".1%"))
    words = ", ".join(f"{row['class']} {row['probability']:.1%}" for row in data.to_dict("records"))
    st.altair_chart(
        drawable((bars + text).properties(height=alt.Step(28))),
        width="stretch",
        key=key,
        alt=f"Probabilities: {words}.",
    )
