"""The sections of the Review page around the desk: who reviews, how far they are, what was decided, exports."""

from functools import partial
from typing import Any

import streamlit as st

from scones_core.domain.review import Status, Strategy
from scones_core.services import App, capture, review
from scones_core.services.review import ExportFormat, QueueFigures
from scones_core.ui.actions import action_button
from scones_core.ui.images import enlarged
from scones_core.ui.review_desk import review_desk
from scones_core.ui.review_keys import Desk, desk
from scones_core.ui.session import shown_errors, user
from scones_core.ui.widgets import Colour, percent

_NAME = "review_name"
_RECENT = 6
_ANYONE = "someone"
_STRATEGIES = {
    Strategy.LEAST_CONFIDENCE: "Least confident",
    Strategy.MARGIN: "Smallest margin",
    Strategy.ENTROPY: "Highest entropy",
    Strategy.RANDOM: "At random",
    Strategy.NEWEST: "Newest",
}
_STATUSES: dict[Status, tuple[Colour, str]] = {
    Status.CONFIRMED: ("green", ":material/check:"),
    Status.RELABELLED: ("orange", ":material/swap_horiz:"),
    Status.SKIPPED: ("gray", ":material/skip_next:"),
    Status.PENDING: ("blue", ":material/hourglass_empty:"),
}
_EXPORTS = {
    ExportFormat.MANIFEST: ("Augmented manifest", "reviewed.manifest", "application/jsonl"),
    ExportFormat.LABEL_STUDIO: ("Label Studio", "reviewed-label-studio.json", "application/json"),
    ExportFormat.CSV: ("CSV", "reviewed.csv", "text/csv"),
}


def reviewer() -> str | None:
    """The user's name; asked for where it is not known."""
    known = user() if user() != _ANYONE else str(st.session_state.get(_NAME, ""))
    if known:
        return known
    with st.container(border=True), st.form("reviewer_form", border=False):
        st.markdown(
            "**Who reviews?** Your name is noted with every decision, and keeps others off the image you look at."
        )
        name = st.text_input("Reviewer", placeholder="Your name", max_chars=80, key="reviewer_name")
        if st.form_submit_button("Start reviewing", icon=":material/rate_review:", type="primary") and name.strip():
            st.session_state[_NAME] = name.strip()
            st.rerun()
    return None


def strategy_input() -> Strategy:
    chosen: Strategy = st.selectbox(
        "Which images first", list(_STRATEGIES), format_func=_STRATEGIES.__getitem__, key="review_strategy", width=220
    )
    return chosen


@st.fragment
def reviewing(app: App, name: str, strategy: Strategy) -> None:
    """Progress, the desk, and the last decisions; a decision reruns no more than this."""
    here = desk(name, strategy)
    with shown_errors():
        here.raise_error()
    with shown_errors():
        queue = review.queue(app)
        _progress(queue)
        review_desk(app, here)
        _figures(queue)
        _recent(app, here)


def _progress(queue: QueueFigures) -> None:
    decided = queue.confirmed + queue.relabelled + queue.skipped
    total = decided + queue.pending
    rest = "" if queue.pending else " What follows was accepted by the threshold."
    st.progress(decided / total if total else 1.0, text=f"{decided:,} of {total:,} images decided.{rest}")


def _figures(queue: QueueFigures) -> None:
    grid = st.grid(4, min_column_width=130, gap="small")
    grid.metric("Pending", f"{queue.pending:,}", border=True, help="Low-confidence images without a decision.")
    grid.metric("Confirmed", f"{queue.confirmed:,}", border=True, help="The label is the model's prediction.")
    grid.metric("Relabelled", f"{queue.relabelled:,}", border=True, help="The label is another than the prediction.")
    grid.metric("Skipped", f"{queue.skipped:,}", border=True, help="Left without a label.")


def _recent(app: App, here: Desk) -> None:
    rows = review.reviewed(app, limit=_RECENT)
    if not rows:
        return
    st.markdown("##### Recent decisions", help="Only its own reviewer can take a decision back.")
    for row in rows:
        own = row["reviewer"] == here.reviewer
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.image(enlarged(capture.image(app, row["id"]), 96), width=40, alt="The image that was decided on")
            colour, icon = _STATUSES[Status(row["status"])]
            st.badge(str(row["label"] or "skipped").replace("_", " "), icon=icon, color=colour)
            st.caption(_about(row, own), width="stretch")
            if own:
                take_back = partial(_take_back, app, here, row["id"])
                action_button("Take back", take_back, key=f"take-back-{row['id']}", icon=":material/undo:")


def _about(row: dict[str, Any], own: bool) -> str:
    """What the model said, who decided, and when."""
    who = "" if own else f" · {row['reviewer']}"
    return f"{row['prediction'].replace('_', ' ')} {percent(row['confidence'], 0)}{who} · {row['time']:%H:%M}"


def _take_back(app: App, here: Desk, id: str) -> None:
    review.undo(app, here.reviewer, id=id)
    here.put_first(app, id)


def exports(app: App) -> None:
    """The labels in force as files; they are written when the button is pressed."""
    queue = review.queue(app)
    labels = queue.confirmed + queue.relabelled
    st.subheader("Export", anchor=False)
    st.caption(f"{labels:,} reviewed labels, for training elsewhere or for another labelling tool.")
    with st.container(horizontal=True):
        for format, (text, file_name, mime) in _EXPORTS.items():
            st.download_button(
                text,
                partial(_exported, app, format),
                file_name,
                mime,
                icon=":material/download:",
                key=f"export_{format}",
                on_click="ignore",
                disabled=not labels,
            )


def _exported(app: App, format: ExportFormat) -> str:
    return review.export(app, format)[0]
