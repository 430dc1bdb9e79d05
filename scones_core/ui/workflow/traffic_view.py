"""Test traffic: form, progress, result."""

from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from scones_core.domain.drift import SimulatedDrift
from scones_core.services import App, traffic
from scones_core.services.background import BackgroundTask
from scones_core.services.traffic import Sent
from scones_core.ui.shell import navigation
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.session import get_background
from scones_core.ui.shell.task_progress import watch
from scones_core.ui.shell.widgets import duration

TASK = "traffic"  # shared by all sessions: any of them may stop it
MOST = 10_000
Pace = Literal["steady", "burst"]

_PACES: dict[Pace, str] = {"steady": ":material/timeline: Steady stream", "burst": ":material/bolt: Burst"}
_DRIFTS = {
    SimulatedDrift.NONE: "None: unchanged images",
    SimulatedDrift.DARK: "Darker images",
    SimulatedDrift.NOISE: "Noisier images",
    SimulatedDrift.BLUR: "Blurred images",
    SimulatedDrift.CLASS_MIX: "Different class mix",
}


_PLAIN: dict[str, Any] = {"border": True, "delta_color": "off", "delta_arrow": "off"}


@dataclass(frozen=True)
class ChosenTraffic:
    """rate : images per second; None for a burst."""

    count: int
    rate: float | None
    drift: SimulatedDrift


def traffic_input() -> ChosenTraffic:
    """Number of images, rate, and simulated drift."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        count = st.number_input("Images to send", 1, MOST, 100, key="traffic_count", width=160)
        pace: Pace = st.segmented_control(
            "Pace", tuple(_PACES), default="steady", format_func=_PACES.__getitem__, required=True, key="traffic_pace"
        )
        rate = None
        if pace == "steady":
            rate = st.number_input("Images per second", 0.1, 200.0, 5.0, 0.5, key="traffic_rate", width=160)
        drift = st.selectbox(
            "Simulated drift",
            list(_DRIFTS),
            format_func=_DRIFTS.__getitem__,
            key="traffic_drift",
            width=270,
            help="Changes the images so that Monitor has drift to detect.",
        )
    return ChosenTraffic(count, rate, drift)


def traffic_buttons(app: App, chosen: ChosenTraffic) -> None:
    """Start button; while traffic is sent, a stop button."""
    task = get_background().get(TASK)
    lasts = f", about {duration(chosen.count / chosen.rate)}" if chosen.rate else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if task and task.running:
            action_button("Stop traffic", lambda: _stop(task), key="stop_traffic", icon=":material/stop:")
        else:
            action_button(
                "Send traffic",
                lambda: _start(app, chosen),
                key="start_traffic",
                icon=":material/play_arrow:",
                primary=True,
            )
            st.caption(f"{chosen.count:,} executions{lasts}", width="content")


def _start(app: App, chosen: ChosenTraffic) -> None:
    tasks = get_background()
    tasks.start(
        TASK,
        "Sending traffic",
        lambda progress: traffic.send(
            app,
            chosen.count,
            rate=chosen.rate,
            drift=chosen.drift,
            progress=progress,
            go_on=lambda: tasks.goes_on(TASK),
        ),
    )


def _stop(task: BackgroundTask) -> str:
    task.stop()
    return "Stopping; images already sent are finished first"


def traffic_progress() -> None:
    """Progress while traffic is sent, then the result."""
    watch(TASK)
    task = get_background().get(TASK)
    if task is None:
        st.info(
            "No traffic sent since the app started. Choose a number of images above and press **Send traffic**.",
            icon=":material/speed:",
        )
    elif not task.running and task.error is None:
        _outcome(task)


def _outcome(task: BackgroundTask) -> None:
    sent: Sent = task.result
    with st.container(horizontal=True):
        st.metric("Sent", f"{sent.sent:,}", border=True)
        st.metric("Accepted", f"{sent.succeeded:,}", border=True)
        st.metric("Failed", f"{sent.failed:,}", border=True, help="Failed executions, most for low confidence.")
        st.metric("Duration", duration(sent.seconds), border=True)
        st.metric("Rate", f"{sent.rate:.1f}/s", f"asked for {sent.asked:g}/s" if sent.asked else None, **_PLAIN)
    if sent.asked and sent.rate < 0.8 * sent.asked and not task.asked_to_stop:
        st.warning(
            f"{sent.rate:.1f} images per second were sent of the {sent.asked:g} asked for: the executions took longer.",
            icon=":material/speed:",
        )
    if task.asked_to_stop:
        st.info("The traffic was stopped early.", icon=":material/stop_circle:")
    navigation.link("monitor", "See the captured inferences on Monitor")
