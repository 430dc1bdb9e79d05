"""Test traffic: what is to be sent, its progress, and what became of it."""

from dataclasses import dataclass
from typing import Literal

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

TASK = "traffic"  # one for all sessions: whoever sees it running may stop it
MOST = 10_000
Pace = Literal["steady", "burst"]

_PACES: dict[Pace, str] = {"steady": ":material/timeline: Steady stream", "burst": ":material/bolt: Burst"}
_DRIFTS = {
    SimulatedDrift.NONE: "None: images as they are",
    SimulatedDrift.DARK: "Darker images",
    SimulatedDrift.NOISE: "Noisier images",
    SimulatedDrift.BLUR: "Blurred images",
    SimulatedDrift.CLASS_MIX: "Another class mix",
}


@dataclass(frozen=True)
class ChosenTraffic:
    """rate : images per second; None for a burst."""

    count: int
    rate: float | None
    drift: SimulatedDrift


def traffic_input() -> ChosenTraffic:
    """How many images, how fast, and what is changed about them."""
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
            help="Traffic of a changed world, so that Monitor has something to find.",
        )
    return ChosenTraffic(count, rate, drift)


def traffic_buttons(app: App, chosen: ChosenTraffic) -> None:
    """Start, and while traffic is sent, stop."""
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
            go_on=lambda: (task := tasks.get(TASK)) is None or task.go_on(),
        ),
    )


def _stop(task: BackgroundTask) -> str:
    task.stop()
    return "The traffic ends with the images that are under way"


def traffic_progress() -> None:
    """The bar while traffic is sent, and then what became of it."""
    watch(TASK)
    task = get_background().get(TASK)
    if task is None:
        st.info(
            "No traffic has been sent since the app started. Choose above how much, and press **Send traffic**.",
            icon=":material/speed:",
        )
    elif not task.running and task.error is None:
        _outcome(task)


def _outcome(task: BackgroundTask) -> None:
    sent: Sent = task.result
    with st.container(horizontal=True):
        st.metric("Sent", f"{sent.sent:,}", border=True)
        st.metric("Accepted", f"{sent.succeeded:,}", border=True)
        st.metric("Refused", f"{sent.failed:,}", border=True, help="Executions that failed, most for low confidence.")
        st.metric("Duration", duration(sent.seconds), border=True)
    if task.asked_to_stop:
        st.info("The traffic was stopped before its end.", icon=":material/stop_circle:")
    navigation.link("monitor", "See on Monitor what the endpoint captured of it")
