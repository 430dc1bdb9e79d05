"""The events of an execution as a table, and its states as a timeline."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from scones_core.domain.history import StateRun, StateStatus, event_states
from scones_core.ui.shell.chart_theme import LEGEND, alt, drawable

_MOST_EVENTS, _MOST_STATES = 2_000, 200
_LONGEST = 300  # characters of an event's details
_COLOURS = {
    StateStatus.SUCCEEDED: "#5f8f46",
    StateStatus.CAUGHT: "#b98a1d",
    StateStatus.FAILED: "#c04a3a",
    StateStatus.RUNNING: "#3f6e94",
    StateStatus.ABORTED: "#8f8578",
}


def event_table(events: Sequence[Mapping[str, Any]]) -> None:
    """Id, time, state, type and details of the first events."""
    shown = events[:_MOST_EVENTS]
    states = event_states(shown)
    rows = [
        {
            "Id": event["id"],
            "Time": event["timestamp"],
            "State": states.get(event["id"], ""),
            "Event": event["type"],
            "Details": _details(event),
        }
        for event in shown
    ]
    st.dataframe(
        rows,
        hide_index=True,
        height=280,
        column_config={
            "Id": st.column_config.NumberColumn(width=50),
            "Details": st.column_config.TextColumn(width=420),
        },
        alt="The events of the execution, with state and details",
    )
    if len(events) > len(shown):
        st.caption(f"The first {len(shown):,} of {len(events):,} events. The download has all.")


def _details(event: Mapping[str, Any]) -> str:
    found = next((value for name, value in event.items() if name.endswith("EventDetails")), None)
    text = json.dumps(found, ensure_ascii=False) if found else ""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def timeline(runs: Sequence[StateRun], *, key: str) -> None:
    """One bar per visit to a state, in milliseconds since the first was entered."""
    begin, end = runs[0].entered, max(run.exited or run.entered for run in runs)
    shown = runs[:_MOST_STATES]
    rows = [
        {
            "state": f"{number}. {run.name}",
            "start": (run.entered - begin).total_seconds() * 1000,
            "end": ((run.exited or end) - begin).total_seconds() * 1000,
            "status": str(run.status),
        }
        for number, run in enumerate(shown, 1)
    ]
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar(height=14, cornerRadius=3)
        .encode(
            y=alt.Y("state:N", title=None, sort=None, axis=alt.Axis(labelLimit=260)),
            x=alt.X("start:Q", title="Milliseconds since the start"),
            x2=alt.X2("end:Q"),
            color=alt.Color(
                "status:N",
                title=None,
                scale=alt.Scale(domain=list(map(str, _COLOURS)), range=list(_COLOURS.values())),
                legend=LEGEND,
            ),
            tooltip=[
                alt.Tooltip("state:N", title="State"),
                alt.Tooltip("status:N", title="Status"),
                alt.Tooltip("start:Q", title="From (ms)", format=",.0f"),
                alt.Tooltip("end:Q", title="To (ms)", format=",.0f"),
            ],
        )
        .properties(height=alt.Step(26))
    )
    words = "; ".join(f"{row['state']} {row['status']}, {row['start']:.0f} to {row['end']:.0f} ms" for row in rows[:20])
    st.altair_chart(drawable(chart), width="stretch", key=key, alt=f"Timeline. {words}.")
    if len(runs) > len(shown):
        st.caption(f"The first {len(shown):,} of {len(runs):,} visits.")
