"""Audits: start one, how far it is, and what it says of production."""

from datetime import datetime

import pandas as pd
import streamlit as st

from scones_core.domain.audit import AuditFigures, Estimate
from scones_core.domain.audit_draw import AuditKind
from scones_core.errors import SconesError
from scones_core.services import App, audit_draws, audit_plans, audits, deployment, training
from scones_core.services.audit_plans import AuditPlan
from scones_core.services.audits import Audited
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.navigation import PageName
from scones_core.ui.shell.session import shown_errors
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import time_text
from scones_core.ui.shell.user import user
from scones_core.ui.shell.widgets import percent

_KINDS = {AuditKind.ACCURACY: "Accuracy in production", AuditKind.PROMISE: "Promise of an error rate"}
_WIDTHS = (0.02, 0.03, 0.05, 0.1)


def audit_section(app: App, since: datetime | None) -> None:
    """The newest audits of the model in service, and a form for another.  since : the page's time range."""
    st.header("Audit", anchor=False)
    champion = deployment.champion(app)
    if champion is None:
        st.info("No model in service. Deploy one on **Train & deploy** to audit it.", icon=":material/info:")
        return
    with shown_errors():
        found = audits.listed(app, champion.id)
        for kind in AuditKind:
            of_kind = [one for one in found if one.audit.kind is kind]
            if of_kind:
                _audit(app, of_kind[-1])
        if not found:
            st.info(
                f"No audit of {champion.id} yet: its accuracy in production is not known. About 100 labels measure it.",
                icon=":material/fact_check:",
            )
        _form(app, since)


def _audit(app: App, found: Audited) -> None:
    of = found.audit
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"### {_KINDS[of.kind]}", width="stretch")
            if not of.complete:
                st.page_link(
                    PageName.REVIEW.path,
                    label=f"Review the {of.labels - of.decided:,} remaining images",
                    icon=PageName.REVIEW.icon,
                    query_params={"queue": str(of.queue)},
                )
        st.progress(of.decided / of.labels, text=f"{of.decided:,} of {of.labels:,} labels")
        figures = audits.measured(app, found)
        if figures:
            _figures(app, of.model, figures, complete=of.complete)
            if of.complete:
                _extension(app, found, figures.accuracy.half_width)
        st.caption(_drawn(found))


def _extension(app: App, found: Audited, half_width: float) -> None:
    """A button that queues the labels for the next narrower interval, and how many others take."""
    plans = _extended(app, str(app.settings.home), audits.state(app), found.audit.id, found.audit.labels)
    narrower = [plan for plan in plans if plan.half_width < half_width and plan.more]
    if not narrower:
        return
    widest, id = narrower[-1], found.audit.id
    with st.container(horizontal=True, vertical_alignment="center"):
        action_button(
            f"Add {widest.more:,} labels for ±\u00a0{widest.half_width:.0%}",
            lambda: _added(app, id, widest.more or 0),
            key="extend_audit",
            icon=":material/playlist_add:",
        )
        others = ", ".join(f"{plan.more:,} for ±\u00a0{plan.half_width:.0%}" for plan in reversed(narrower[:-1]))
        st.caption(
            f"Accuracy is known to ±\u00a0{100 * half_width:.1f}%, and the labels given still count."
            + (f" Or add {others}." if others else "")
        )


@st.cache_data(show_spinner=False, max_entries=8)
def _extended(_app: App, home: str, state: str, id: int, labels: int) -> list[AuditPlan]:
    return audit_plans.extension(_app, audits.audited(_app, id), _WIDTHS)


def _added(app: App, id: int, labels: int) -> str:
    before = audits.audited(app, id).audit.labels
    audit = audit_draws.extend(app, labels, id=id, by=user())
    return f"{audit.labels - before:,} more images are queued for audit {id}."


def _drawn(found: Audited) -> str:
    of = found.audit
    period = f"from {time_text(of.since)} to {time_text(of.until)}" if of.since else f"until {time_text(of.until)}"
    how = (
        "uncertain ones more often, each weighed by the inverse of its probability"
        if of.kind is AuditKind.ACCURACY
        else f"at random among those above {of.cut:.2f}"
    )
    seeds = ", ".join(str(seed) for seed in (of.seed, *(one.seed for one in of.extensions)))
    draws = f"in {len(of.extensions) + 1} draws, seeds {seeds}" if of.extensions else f"seed {seeds}"
    return (
        f"Audit {of.id} of {of.model}: {of.labels:,} of {of.inferences:,} captured inferences {period}, drawn {how} "
        f"({draws}). Started by {plain(of.created_by)}."
    )


def _figures(app: App, model: str, figures: AuditFigures, *, complete: bool) -> None:
    if not complete:
        st.caption(f"From the first {figures.labels:,} labels; the intervals narrow as more are given.")
    grid = st.grid(4, min_column_width=190, gap="small")
    for title, estimate, about in (
        (
            "Accuracy",
            figures.accuracy,
            "Share of captured inferences that are right. Images of no class count as wrong.",
        ),
        ("Errors among accepted", figures.risk_accepted, "Error rate of the inferences above the current threshold."),
        ("No class", figures.other, "Share of captured images that show none of the classes."),
        (
            "Without a label",
            figures.unknown,
            "Share of captured images that could not be labelled: unknown, not dropped.",
        ),
    ):
        grid.metric(
            title,
            percent(estimate.value) if estimate else "–",
            _interval(estimate),
            border=True,
            help=about,
            delta_color="off",
            delta_arrow="off",
        )
    gap, low, high = figures.confidence_gap
    verdict = (
        "surer than right" if low > 0 else "less sure than right" if high < 0 else "as sure as right, within chance"
    )
    st.markdown(
        f"Mean confidence is {percent(figures.mean_confidence)}: confidence − accuracy is {100 * gap:+.1f} percentage "
        f"points, 95% interval {100 * low:+.1f} to {100 * high:+.1f}. The model is **{verdict}**."
    )
    names = training.model(app, model).classes
    rows = [
        {"Class": plain(name), "Recall": percent(of.value), "95% interval": _ends(of), "Labels": of.labels}
        for name, of in ((names[index], estimate) for index, estimate in figures.recall.items())
        if of
    ]
    if rows:
        st.table(pd.DataFrame(rows), border="horizontal", hide_index=True)


def _interval(estimate: Estimate | None) -> str | None:
    if estimate is None:
        return None
    return f"{_ends(estimate)}, {estimate.labels:,} labels"


def _ends(estimate: Estimate) -> str:
    low, high = estimate.interval
    return f"{percent(low)} to {percent(high)}"


def _form(app: App, since: datetime | None) -> None:
    with st.popover("New audit", icon=":material/fact_check:"):
        kind = st.segmented_control(
            "Kind",
            list(_KINDS),
            format_func=lambda one: _KINDS[one],
            default=AuditKind.ACCURACY,
            required=True,
            key="audit_kind",
        )
        labels = int(st.number_input("Labels", 1, 10_000, 100, 10, key="audit_labels"))
        risk = 0.05
        if kind is AuditKind.PROMISE:
            risk = st.number_input("Error rate to promise (%)", 0.5, 50.0, 5.0, 0.5, key="audit_risk") / 100
            st.caption("Drawn at random among the inferences confident enough for that promise.")
        else:
            _plans(app, since)
        st.caption("Drawn from the inferences of the time range above.")
        action_button(
            "Start audit",
            lambda: _started(app, labels, kind, since, risk),
            key="start_audit",
            icon=":material/play_arrow:",
            primary=True,
        )


def _plans(app: App, since: datetime | None) -> None:
    try:
        plans = _planned(app, str(app.settings.home), audits.state(app), since)
    except SconesError as error:
        st.info(plain(error), icon=":material/info:")
        return
    told = ", ".join(f"± {plan.half_width:.0%}: {plan.labels:,}" for plan in plans if plan.labels)
    if told:
        st.caption(f"Labels for accuracy to {told} (of {plans[0].inferences:,} inferences).")


@st.cache_data(show_spinner=False, max_entries=8)
def _planned(_app: App, home: str, state: str, since: datetime | None) -> list[AuditPlan]:
    return audit_plans.new(_app, _WIDTHS, since=since)


def _started(app: App, labels: int, kind: AuditKind, since: datetime | None, risk: float) -> str:
    audit = audit_draws.start(app, labels, kind=kind, since=since, max_risk=risk, by=user())
    return f"Audit {audit.id} started: {audit.labels:,} images are queued for review."
