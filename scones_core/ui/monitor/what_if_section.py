"""What another threshold would do to the captured traffic, per day, and which threshold costs least."""

from datetime import timedelta

import streamlit as st

from scones_core.domain.inference_filter import InferenceFilter
from scones_core.domain.what_if import Cheapest, WhatIf
from scones_core.errors import NotFound
from scones_core.services import App, what_if
from scones_core.services.what_if import Evidence, Traffic
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.threshold import set_threshold
from scones_core.ui.shell.widgets import percent

ASSUMED = 5.0  # seconds per decision, until there are enough decisions


def what_if_section(app: App, which: InferenceFilter, tried: float, current: float) -> None:
    """The traffic of the filter at a tried threshold, and the cheapest threshold."""
    st.subheader(f"What if the threshold were {tried:g}?", anchor=False)
    try:
        found = what_if.traffic(app, which)
    except NotFound as error:
        st.info(plain(error), icon=":material/info:")
        return
    if not found.inferences:
        st.info(f"No captured inferences of {found.model} match the filters above.", icon=":material/info:")
        return
    now, then = what_if.at(found, round(current, 3)), what_if.at(found, tried)
    _figures(found, now, then)
    _cheapest(app, found, current)


def _figures(found: Traffic, now: WhatIf, then: WhatIf) -> None:
    days = found.days
    per = 1 / days if days else 1.0
    seconds, unit = found.per_decision or ASSUMED, "per day" if days else "in all"

    def delta(after: float, before: float) -> str | None:
        return f"{after - before:+,.0f} against {now.threshold:g}" if round(after - before) else None

    grid = st.grid(3, min_column_width=220, gap="small")
    grid.metric(
        f"Accepted {unit}", f"{then.accepted * per:,.0f}", delta(then.accepted * per, now.accepted * per), border=True
    )
    grid.metric(
        f"Low-confidence {unit}",
        f"{then.low * per:,.0f}",
        delta(then.low * per, now.low * per),
        delta_color="inverse",
        border=True,
        help="Each is a failed execution if it came through the workflow.",
    )
    grid.metric(
        f"Failed executions {unit}",
        f"{then.low * per:,.0f}",
        border=True,
        help="THRESHOLD_CONFIDENCE_NOT_MET, if all inferences come through the workflow.",
    )
    accepted = then.accepted * per
    errors = "unknown" if then.errors is None else f"{then.errors * per:,.1f}"
    grid.metric(
        f"Expected errors {unit}",
        errors,
        border=True,
        help=None
        if then.errors is None
        else f"95% interval {accepted * then.error_low:,.1f} to {accepted * then.error_high:,.1f}",
    )
    grid.metric(
        f"Review minutes {unit}",
        f"{then.low * per * seconds / 60:,.0f}",
        delta(then.low * per * seconds / 60, now.low * per * seconds / 60),
        delta_color="inverse",
        border=True,
    )
    st.caption(_basis(found, then, seconds))


def _basis(found: Traffic, then: WhatIf, seconds: float) -> str:
    span = f"per day, at the rate of the {_length(found.seconds)} that they span"
    rate = span if found.days else f"in all: the {_length(found.seconds)} that they span is too short for a daily rate"
    per = 1 / found.days if found.days else 1.0
    errors = _errors(found, then, per)
    source = "the median of your decisions" if found.per_decision else "assumed, until five decisions are made in a row"
    return (
        f"From {found.inferences:,} captured inferences of {found.model}, counted; {rate}. Errors: {errors} "
        f"Review: {seconds:.1f} s per decision, {source}."
    )


def _errors(found: Traffic, then: WhatIf, per: float) -> str:
    """What the expected errors rest on."""
    if found.evidence is None:
        return f"unknown. {found.unknown}"
    labelled = _labelled(found.evidence)
    if then.error_rate is None:
        return f"unknown, as none of the {labelled} is above {then.threshold:g}."
    least, most = (then.accepted * share * per for share in (then.error_low, then.error_high))
    like = "" if found.evidence.audit else ", if the traffic is like them"
    return (
        f"{percent(then.error_rate)} of the {then.labels:,} {labelled} above {then.threshold:g} are wrong (95% "
        f"interval {percent(then.error_low)} to {percent(then.error_high)}): {least:,.0f} to {most:,.0f} errors{like}."
    )


def _labelled(evidence: Evidence) -> str:
    kind = f"labels of audit {evidence.audit}, weighted as drawn," if evidence.audit else "sealed test images"
    return f"{kind} predicted {plain(evidence.prediction)}" if evidence.prediction else kind


def _length(seconds: float) -> str:
    span = timedelta(seconds=round(seconds))
    if span.days >= 2:
        return f"{span.days} days"
    minutes = f"{seconds / 60:.0f} minutes" if seconds >= 90 else "minute"
    return f"{seconds / 3600:.1f} hours" if seconds >= 7200 else minutes


def _cheapest(app: App, found: Traffic, current: float) -> None:
    st.subheader("Which threshold costs least?", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        error = st.number_input("Price of a wrong route", 0.01, None, 10.0, key="price_error", width=190)
        review = st.number_input("Price of a review", 0.01, None, 0.5, key="price_review", width=190)
    best = what_if.cheapest(found, error=float(error or 0.01), review=float(review or 0.01))
    if best is None or found.evidence is None:
        few = "Costs need ten labelled images, and an error among them: audit some, or load more test images."
        st.info(found.unknown or few, icon=":material/info:")
        return
    st.markdown(cheapest_sentence(best, found.evidence))
    action_button(
        f"Set threshold to {best.threshold:g}",
        lambda: set_threshold(app, best.threshold),
        key="set_cheapest_threshold",
        icon=":material/tune:",
        disabled=best.threshold == current,
    )


def cheapest_sentence(best: Cheapest, evidence: Evidence) -> str:
    """The cheapest threshold in words."""
    same = (
        f"Between **{best.same_from:g}** and **{best.same_to:g}** it costs the same within 2%."
        if best.same_from < best.same_to
        else "No other threshold costs the same within 2%."
    )
    return (
        f"Cheapest at **{best.threshold:g}**: {best.cost:,.2f} per 1,000 inferences (95% interval "
        f"{best.cost_low:,.2f} to {best.cost_high:,.2f}). {same} With other labels, the cheapest would lie "
        f"between {best.best_from:g} and {best.best_to:g} (95%, {evidence.images:,} "
        f"{_labelled(evidence).removesuffix(',')})."
    )
