"""Drift: what the watch says, an alarm with its pictures, and the accuracy that the confidences let expect."""

from collections.abc import Sequence

import streamlit as st

from scones_core.domain.drift import DriftLevel
from scones_core.services import App, drift_standing, drift_watch, expectation
from scones_core.services.drift_standing import QUIET, DriftAlarm, DriftStanding
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.images import captured_image, stored_tile
from scones_core.ui.shell.session import shown_errors
from scones_core.ui.shell.times import time_text
from scones_core.ui.shell.user import user
from scones_core.ui.shell.widgets import percent

LEVELS = {DriftLevel.UNKNOWN: "Unknown", DriftLevel.NONE: "Not found", DriftLevel.DRIFT: "Found"}


def drift_help(drift: DriftStanding) -> str:
    """The evidence behind the figure, for a tooltip."""
    if not drift.evidence:
        return _too_few(drift)
    strongest = max(drift.evidence, key=lambda name: drift.evidence[name])
    return (
        f"{drift.recent:,} inferences of {drift.model} compared with {drift.reference:,} test images. Strongest "
        f"evidence: {strongest}, {drift.evidence[strongest]:,.1f}; an alarm needs {drift.needed:.0f}. Without drift, a "
        "model ever gets one with a probability of at most 5%, however often this page is opened."
    )


def _too_few(drift: DriftStanding) -> str:
    return (
        "Drift needs at least 20 captured inferences of the model in service since its deployment, each of another "
        f"image that it was not trained on, and 20 test images; there are {drift.recent:,} and {drift.reference:,}."
    )


def drift_section(app: App, drift: DriftStanding) -> None:
    """The alarm, or that there is none; and the accuracy expected from the confidences, while these are believed."""
    if drift.alarm:
        _alarm(app, drift, drift.alarm)
    elif drift.level is DriftLevel.NONE:
        st.success(
            f"**No drift found** in {drift.recent:,} inferences of {drift.model}, each of another image, compared with "
            f"{drift.reference:,} test images.",
            icon=":material/check_circle:",
        )
    else:
        st.info(_too_few(drift), icon=":material/hourglass_empty:")
    _expected(app, drift)


def _expected(app: App, drift: DriftStanding) -> None:
    if drift.believed:
        with shown_errors():
            found = expectation.expected_accuracy(app)
            if found:
                low, high = found.interval
                st.caption(
                    f"Expected accuracy of {found.inferences:,} captured inferences: {percent(found.value)}, 95% "
                    f"interval {percent(low)} to {percent(high)}. It is the mean confidence, without labels, and holds "
                    "while there is no drift; an audit measures it."
                )
    elif drift.alarm:
        st.markdown(
            "**Expected accuracy: unknown.** Confidences say nothing while this alarm stands: audit 100 images."
        )
    elif drift.quiet is not None and drift.quiet < QUIET:
        st.markdown(
            f"**Expected accuracy: unknown** until {QUIET:,} inferences after the acknowledged alarm show no drift; "
            f"{drift.quiet:,} so far. Audit 100 images."
        )


def _alarm(app: App, drift: DriftStanding, alarm: DriftAlarm) -> None:
    first, last = map(time_text, alarm.since_interval)
    interval = f" (95% interval {first} to {last})" if first != last else ""
    st.warning(
        f"**Drift.** {drift_standing.in_words(alarm.changes)} Since {time_text(alarm.since)}{interval}, found "
        f"{time_text(alarm.time)}, in inferences of {drift.model} compared with {drift.reference:,} test images.",
        icon=":material/trending_down:",
    )
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("### Before" if alarm.before else "### Test images")
        if alarm.before:
            _captured(app, alarm.before, "before the drift")
        else:
            _reference(app)
    with right:
        st.markdown("### Since then")
        _captured(app, alarm.after, "since the drift")
    action_button(
        "Acknowledge",
        lambda: _acknowledged(app),
        key="acknowledge_drift",
        icon=":material/done:",
        help="The watch restarts. If the drift persists, there will be another alarm.",
    )


def _acknowledged(app: App) -> str:
    drift_watch.acknowledge(app, by=user())
    return "Drift alarm acknowledged. The watch restarts with the next inference."


def _captured(app: App, events: Sequence[str], when: str) -> None:
    with st.container(horizontal=True, gap="small"):
        for number, event in enumerate(events, start=1):
            captured_image(app, event, width=72, alt=f"Captured image {number} of {len(events)} {when}")


def _reference(app: App) -> None:
    with st.container(horizontal=True, gap="small"):
        for number, key in enumerate(drift_standing.reference_keys(app), start=1):
            tile = stored_tile(app, key)
            if tile is not None:
                st.image(tile, width=72, alt=f"Test image {number}")
