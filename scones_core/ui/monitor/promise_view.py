"""Suggested thresholds with their promises, and the changes of the threshold."""

from typing import Any

import pandas as pd
import streamlit as st

from scones_core.domain.audit_draw import AuditKind
from scones_core.errors import NotFound, SconesError
from scones_core.services import App, audit_draws, audits, monitoring, promises, threshold
from scones_core.services.monitoring import Measured
from scones_core.services.promises import ProductionPromise
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.threshold import set_threshold, take_back
from scones_core.ui.shell.times import heading, wall_time
from scones_core.ui.shell.user import user
from scones_core.ui.shell.widgets import percent

LEVEL = 0.95


def suggestion(app: App) -> None:
    """Thresholds for a maximum error rate: about images like the test images, and about production."""
    with st.popover("Suggest a threshold", icon=":material/lightbulb:"):
        risk = st.number_input("Maximum error rate (%)", 0.5, 50.0, 5.0, 0.5, key="proposal_risk") / 100
        st.markdown("**Images like the test images**")
        _test_images(app, risk)
        st.markdown("**Production**")
        _production(app, risk)


def _test_images(app: App, risk: float) -> None:
    try:
        held_out = _held_out(app, str(app.settings.home), monitoring.measured_on(app)[0])
        found = monitoring.propose_threshold(app, max_risk=risk, level=LEVEL, held_out=held_out)
    except SconesError as error:
        st.info(plain(error), icon=":material/info:")
        return
    st.markdown(
        f"At **{found.threshold:.2f}**, the error rate is at most {percent(risk)} with 95% confidence, and "
        f"{percent(found.coverage)} of images are accepted ({found.labels_used:,} labels: the test images"
        f"{f' and {len(held_out.correct):,} training images held out in cross-validation' if held_out else ''})."
    )
    evidence = {"about": "test images", "max_risk": risk, "level": LEVEL, "labels_used": found.labels_used}
    _apply(app, found.threshold, evidence, key="apply_proposal")


@st.cache_data(show_spinner=False, max_entries=8)
def _held_out(_app: App, home: str, model: str) -> Measured | None:
    """Kept, as it is read from the artifact."""
    return monitoring.held_out_answers(_app)


def _production(app: App, risk: float) -> None:
    try:
        made = _made(app, str(app.settings.home), audits.state(app), risk)
    except NotFound:
        _first_audit(app, risk)
        return
    except SconesError as error:
        st.info(plain(error), icon=":material/info:")
        return
    if made.found is None:
        st.info(_missing(made, risk), icon=":material/hourglass_empty:")
        if made.labels_needed and made.labels_needed <= made.above:
            _queue(app, made.labels_needed, risk)
        return
    st.markdown(
        f"At **{made.found.threshold:.2f}**, the error rate in production is at most {percent(risk)} with 95% "
        f"confidence, however often it is looked at, and {percent(made.coverage)} of captured inferences are accepted "
        f"({made.labels_used:,} audit labels)."
    )
    evidence: dict[str, Any] = {"about": "production", "max_risk": risk, "level": LEVEL}
    evidence |= {"labels_used": made.labels_used, "audits": list(made.audits)}
    _apply(app, made.found.threshold, evidence, key="apply_promise")


@st.cache_data(show_spinner=False, max_entries=32)
def _made(_app: App, home: str, state: str, risk: float) -> ProductionPromise:
    return promises.production(_app, max_risk=risk, level=LEVEL)


@st.cache_data(show_spinner=False, max_entries=32)
def _needed(_app: App, home: str, state: str, risk: float) -> int | None:
    return promises.labels_needed(_app, max_risk=risk, level=LEVEL)


def _missing(made: ProductionPromise, risk: float) -> str:
    said = f"{made.labels_used:,} audit labels do not promise {percent(risk)} yet."
    if made.labels_needed is None:
        return f"{said} No number of labels is likely to: allow more errors, or retrain."
    text = (
        f"{said} About {made.labels_needed:,} more, drawn above {made.cut:.2f} by a promise audit, are enough with "
        "probability 80%."
    )
    if made.labels_needed > made.above:
        text += f" Only {made.above:,} of the audited inferences are above it: audit a longer period later."
    return text


def _queue(app: App, labels: int, risk: float) -> None:
    def started() -> str:
        audit = audit_draws.start(app, labels, kind=AuditKind.PROMISE, max_risk=risk, by=user())
        return f"Audit {audit.id} started: {audit.labels:,} images are queued for review."

    action_button(f"Queue {labels:,} images", started, key="queue_promise", icon=":material/playlist_add:")


def _first_audit(app: App, risk: float) -> None:
    try:
        needed = _needed(app, str(app.settings.home), audits.state(app), risk)
    except SconesError as error:
        st.info(plain(error), icon=":material/info:")
        return
    if needed is None:
        st.info("No audit yet. No number of labels is likely to be enough: allow more errors.", icon=":material/info:")
        return
    st.info(
        f"No audit yet. A promise audit of about {needed:,} labels is enough with probability 80%.",
        icon=":material/fact_check:",
    )
    _queue(app, needed, risk)


def _apply(app: App, value: float, evidence: dict[str, Any], *, key: str) -> None:
    action_button(
        f"Apply {value:.2f}",
        lambda: set_threshold(app, value, evidence),
        key=key,
        icon=":material/check:",
        disabled=value == monitoring.threshold(app),
    )


def history(app: App) -> None:
    """The changes of the threshold, with a button that takes the last one back."""
    changes = threshold.changes(app)
    if not changes:
        return
    with st.popover(f"Changes ({len(changes)})", icon=":material/history:"):
        rows = [
            {
                heading("Time"): wall_time(change.time),
                "By": change.actor,
                "From": change.before,
                "To": change.threshold,
                "Evidence": _in_words(change.evidence),
            }
            for change in changes
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Changes of the threshold, newest first")
        action_button(
            f"Return to {changes[0].before:.2f}",
            lambda: take_back(app),
            key="take_back_threshold",
            icon=":material/undo:",
        )


def _in_words(evidence: Any) -> str:
    if "takes_back" in evidence:
        return f"Takes back {evidence['takes_back']:.2f}"
    if "about" not in evidence:
        return "Chosen by hand"
    return (
        f"At most {percent(evidence['max_risk'])} errors at {percent(evidence['level'], 0)} confidence in "
        f"{evidence['about']}, {evidence['labels_used']:,} labels"
    )
