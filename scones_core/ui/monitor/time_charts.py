"""Charts over time, drawn from counts per period: confidence as density, throughput, share of low confidence."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd
import streamlit as st

from scones_core.domain.cells import SECOND, totals
from scones_core.domain.confidence import steady
from scones_core.services.counting import Counted
from scones_core.services.monitoring import Figures, Period
from scones_core.ui.monitor.filters import chart_key, select_time
from scones_core.ui.shell.chart_theme import LEGEND, alt, drawable
from scones_core.ui.shell.confidence_chart import COLOURS, KINDS, LOW, PERCENT, rule
from scones_core.ui.shell.times import abbreviation, zone
from scones_core.ui.shell.widgets import percent

BANDS = 50  # of confidence
# Charts with a brush: its rectangle has no text for screen readers in SVG. They are described by `alt`.
CANVAS = {"embedOptions": {"renderer": "canvas"}}
_NAMES = {300: "5 minutes", 3_600: "hour", 86_400: "day (UTC)", 30 * 86_400: "30 days (UTC)"}


def period_name(counted: Counted) -> str:
    return _NAMES[counted.period]


def brush() -> alt.Parameter:
    """A drag selects a time."""
    return alt.selection_interval(name="brush", encodings=["x"], mark=alt.BrushConfig(fill="#8f8578", fillOpacity=0.25))


def time_axis(first: datetime, last: datetime) -> alt.Axis:
    """Times of day; dates if they span more than a day."""
    span = (last - first).total_seconds()
    style = "%-d %b" if span > 3 * 86_400 else "%-d %b %H:%M" if span > 20 * 3_600 else "%H:%M"
    return alt.Axis(format=style if span > 240 else "%H:%M:%S", labelOverlap=True, tickCount=8)


def moment(time: datetime) -> str:
    return f"{time.astimezone(zone()):%-d %b %H:%M}"


def _ends(figures: Figures) -> tuple[datetime, datetime]:
    return figures.periods[0].start, figures.periods[-1].end


def confidence_density(figures: Figures) -> str | None:
    """Inferences per period and band of confidence; a drag selects a time."""
    counted, key = figures.counted, chart_key("confidence_density")
    cells = counted.cells
    bands = cells.bin * BANDS // 1000
    keys, index = np.unique(cells.start * BANDS + bands, return_inverse=True)
    counts = totals(index, cells.count, len(keys))
    start, band = keys // BANDS // 1000, keys % BANDS  # milliseconds, as Vega expects
    data = pd.DataFrame(
        {
            "time": start,
            "end": start + counted.period * SECOND // 1000,
            "from": band / BANDS,
            "to": (band + 1) / BANDS,
            "inferences": counts,
        }
    )
    data = data[data["inferences"] > 0]
    when = pd.to_datetime(data["time"], unit="ms", utc=True).dt.tz_convert(zone()).dt.strftime("%-d %b %Y, %H:%M")
    lowest = min(float(data["from"].min()), figures.threshold)
    title = f"Captured ({abbreviation()})"
    chart = (
        alt.Chart(data.assign(when=when))
        .mark_rect()
        .encode(
            x=alt.X("time:T", title=title, axis=time_axis(*_ends(figures)), scale=alt.Scale(type="time", nice=False)),
            x2=alt.X2("end:T"),
            y=alt.Y("from:Q", title="Confidence", axis=PERCENT, scale=alt.Scale(domain=[lowest, 1])),
            y2=alt.Y2("to:Q"),
            color=alt.Color(
                "inferences:Q",
                title="Inferences",
                scale=alt.Scale(type="sqrt", scheme="blues"),
                legend=alt.Legend(orient="top", gradientLength=160),
            ),
            tooltip=[
                alt.Tooltip("when:N", title=f"From ({abbreviation()}), per {period_name(counted)}"),
                alt.Tooltip("from:Q", title="Confidence above", format=".0%"),
                alt.Tooltip("to:Q", title="up to", format=".0%"),
                alt.Tooltip("inferences:Q", title="Inferences", format=","),
            ],
        )
        .add_params(brush())
    )
    st.altair_chart(
        drawable((chart + rule("y", figures.threshold)).properties(height=330, usermeta=CANVAS)),
        width="stretch",
        key=key,
        on_select=lambda: select_time(key),
        selection_mode="brush",
        alt=f"Density of {figures.inferences:,} confidences over time, per {period_name(counted)}.",
    )
    return None


def throughput(figures: Figures) -> None:
    """Inferences per period, accepted and low-confidence."""
    key, periods = chart_key("throughput"), figures.periods
    data = pd.DataFrame(
        [
            {
                "time": _ms(p.start),
                "end": _ms(p.end),
                "when": moment(p.start),
                "kind": kind,
                "inferences": top - bottom,
                "bottom": bottom,
                "top": top,
            }
            for p in periods
            for kind, bottom, top in zip(
                KINDS[::-1], (0, p.low_confidence), (p.low_confidence, p.inferences), strict=True
            )
        ]
    )
    name = period_name(figures.counted)
    chart = (
        alt.Chart(data)
        .mark_rect()
        .encode(
            x=alt.X("time:T", title=f"Captured ({abbreviation()})", axis=time_axis(*_ends(figures))),
            x2=alt.X2("end:T"),
            y=alt.Y("bottom:Q", title=f"Inferences per {name}", axis=alt.Axis(tickMinStep=1)),
            y2=alt.Y2("top:Q"),
            color=alt.Color("kind:N", title=None, scale=COLOURS, legend=LEGEND),
            tooltip=[
                alt.Tooltip("when:N", title=f"From ({abbreviation()})"),
                alt.Tooltip("kind:N", title="Kind"),
                alt.Tooltip("inferences:Q", title="Inferences", format=","),
            ],
        )
        .add_params(brush())
    )
    st.altair_chart(
        drawable(chart.properties(height=220, usermeta=CANVAS)),
        width="stretch",
        key=key,
        on_select=lambda: select_time(key),
        selection_mode="brush",
        alt=f"Inferences per {name}. {throughput_finding(figures)}",
    )


def low_share(figures: Figures) -> None:
    """Share at or below the threshold per period."""
    data = pd.DataFrame(
        [
            {
                "time": _ms(p.start + (p.end - p.start) / 2),
                "when": moment(p.start),
                "share": p.low_confidence / p.inferences,
                "inferences": p.inferences,
            }
            for p in figures.periods
        ]
    )
    name = period_name(figures.counted)
    chart = (
        alt.Chart(data)
        .mark_line(point=len(data) < 60, strokeWidth=2, color=LOW)
        .encode(
            x=alt.X("time:T", title=f"Captured ({abbreviation()})", axis=time_axis(*_ends(figures))),
            y=alt.Y("share:Q", title="Low-confidence share", axis=PERCENT, scale=alt.Scale(domain=[0, 1])),
            tooltip=[
                alt.Tooltip("when:N", title=f"From ({abbreviation()}), per {name}"),
                alt.Tooltip("share:Q", title="Low-confidence", format=".1%"),
                alt.Tooltip("inferences:Q", title="of inferences", format=","),
            ],
        )
    )
    alt_text = f"Share of low-confidence inferences per {name}. {share_finding(figures)}"
    st.altair_chart(drawable(chart.properties(height=220)), width="stretch", key="low_share", alt=alt_text)


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def throughput_finding(figures: Figures) -> str:
    """Such as: 3,600 inferences per hour; most at 4 Oct 14:00 (3,655)."""
    most = max(figures.periods, key=lambda period: period.inferences)
    name = period_name(figures.counted)
    if len(figures.periods) == 1:
        return f"All {figures.inferences:,} within one period of {name}"
    typical = int(np.median([period.inferences for period in figures.periods]))
    return f"{typical:,} per {name} in the median; most at {moment(most.start)} ({most.inferences:,})"


def share_finding(figures: Figures) -> str:
    """Such as: 12% to 40% low-confidence; most at 4 Oct 14:00. Only periods with enough inferences are compared."""
    enough = _enough(figures.periods)
    if len(enough) < 2:
        return f"{percent(figures.low_share)} low-confidence"
    most = max(enough, key=lambda period: period.low_confidence / period.inferences)
    least = min(enough, key=lambda period: period.low_confidence / period.inferences)
    high, low = (period.low_confidence / period.inferences for period in (most, least))
    if steady([period.low_confidence for period in enough], [period.inferences for period in enough]):
        return f"Steady: {percent(figures.low_share)} low-confidence, {percent(low, 0)} to {percent(high, 0)} by chance"
    return f"{percent(low, 0)} to {percent(high, 0)} low-confidence; most at {moment(most.start)}"


def _enough(periods: Sequence[Period]) -> list[Period]:
    """Those with at least 20 inferences, and a fifth of the busiest: shares of few vary by chance."""
    least = max(20, max((period.inferences for period in periods), default=0) / 5)
    return [period for period in periods if period.inferences >= least]
