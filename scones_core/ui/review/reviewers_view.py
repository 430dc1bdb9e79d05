"""Who reviewed what: figures per reviewer, agreement of votes, gold images."""

import pandas as pd
import streamlit as st

from scones_core.errors import Conflict
from scones_core.services import App, gold, queues, reviewers, stopping
from scones_core.services.reviewers import Agreement, ReviewerFigures
from scones_core.services.stopping import StoppingHint
from scones_core.ui.review.search_view import REVIEWER
from scones_core.ui.shell import navigation
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.widgets import percent


def figures(app: App, viewer: str) -> None:
    """Figures of every reviewer for an operator, the viewer's own for others; nothing before the first decision."""
    found = reviewers.figures(app, viewer)
    if not found:
        return
    st.header("Reviewers", anchor=False)
    st.caption("Decisions that were not taken back. Seconds: median between two decisions, without breaks.")
    st.dataframe(pd.DataFrame(map(_row, found)), hide_index=True, alt="Figures per reviewer")
    with st.container(horizontal=True):
        for one in found:
            navigation.link("review", plain(one.reviewer), query={REVIEWER: one.reviewer}, icon=":material/history:")
    if reviewers.is_operator(app, viewer):
        _gold_rate(app, viewer)


def stopping_hint(app: App) -> None:
    """What the last labels were worth, and whether more are worth their time; nothing before there is something."""
    found = stopping.hint(app)
    said = [] if found is None else [*_learnt(found), *_changed(found)]
    if found and found.stop:
        st.success(" ".join([*said, "Retrain with the labels you have; you can stop here."]))
    elif said:
        st.caption(" ".join(said))


def _learnt(found: StoppingHint) -> list[str]:
    if found.judged < stopping.JUDGED:
        return []
    more = (
        "" if found.learnt else f" From {stopping.RIGHT * found.judged:.0f} on, more labels in this order hardly help."
    )
    sure = f"predictions that {found.model} was least sure of"
    return [f"Reviewers confirmed {found.confirmed} of the last {found.judged} {sure}.{more}"]


def _changed(found: StoppingHint) -> list[str]:
    if not found.steps:
        return []
    last = found.steps[0]
    labels = f"{last.labels:,} label{'' if last.labels == 1 else 's'}"
    versions = f"{last.before} to {last.after}, kappa {last.kappa:.2f}"
    stable = " Predictions have been stable over three retrainings." if found.stable else ""
    return [f"The last {labels} changed {last.changed:,} of {last.images:,} test predictions ({versions}).{stable}"]


def _row(one: ReviewerFigures) -> dict[str, object]:
    interval = f"{percent(one.interval[0], 0)} to {percent(one.interval[1], 0)}" if one.interval else "–"
    return {
        "Reviewer": one.reviewer,
        "Decisions": one.decisions,
        "Relabelled": one.relabelled,
        "Overruled": one.overruled,
        "Right on gold images": f"{one.right} of {one.gold}" if one.gold else "–",
        "95% interval": interval,
        "Seconds": None if one.seconds is None else round(one.seconds, 1),
    }


def _gold_rate(app: App, viewer: str) -> None:
    """The share of gold images; they are made on the page of an image."""
    share = gold.rate(app)
    about = "Share of the images shown whose label is known, to measure reviewers; nothing tells them apart."
    wanted = st.number_input(
        "Gold images (%)", 0, int(100 * gold.HIGHEST_RATE), round(100 * share), key="gold_rate", help=about, width=220
    )
    if wanted != round(100 * share):
        gold.set_rate(app, wanted / 100, viewer)


def agreement(app: App, queue: int) -> None:
    """How far the reviewers of a queue agree; nothing for a queue with one reviewer per image."""
    try:
        found = reviewers.agreement(app, queue)
    except Conflict:
        return
    name = plain(queues.get(app, queue).name)
    if not found.images:
        st.caption(f"No image of {name} has two votes yet.")
        return
    st.caption(
        f"{found.agreed:,} of {found.images:,} images with several votes have one answer. {_beyond_chance(found)}"
    )
    pairs = [
        f"{plain(a)} and {plain(b)} {_number(kappa)} on {images:,}" for (a, b), (images, kappa) in found.kappas.items()
    ]
    st.caption(f"Cohen's kappa: {'; '.join(pairs)} images.")


def _beyond_chance(found: Agreement) -> str:
    figures = f"Krippendorff's alpha {_number(found.alpha)}, Fleiss' kappa {_number(found.fleiss)}"
    return f"{figures}; 0 is chance, 1 is perfect."


def _number(value: float | None) -> str:
    return "undefined (one class)" if value is None else f"{value:.2f}"
