"""The Review page around the desk: reviewer, progress, recent decisions, exports."""

from functools import partial
from typing import Any

import streamlit as st

from scones_core.domain.review import ORDERS, Status, Strategy
from scones_core.services import App, capture, queues, review, review_figures, review_search
from scones_core.services.review_figures import QueueFigures
from scones_core.ui.review.desk import review_desk
from scones_core.ui.review.exchange_view import exchange
from scones_core.ui.review.grid import grid, review_grid
from scones_core.ui.review.keys import Desk, desk
from scones_core.ui.review.queue_view import ORDER_NAMES, queue_progress
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.images import captured_image
from scones_core.ui.shell.session import shown_errors
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import clock_text
from scones_core.ui.shell.user import name_form, named, user
from scones_core.ui.shell.widgets import Colour, percent

_RECENT = 6
_STATUSES: dict[Status, tuple[Colour, str]] = {
    Status.CONFIRMED: ("green", ":material/check:"),
    Status.RELABELLED: ("orange", ":material/swap_horiz:"),
    Status.LABELLED: ("green", ":material/label:"),
    Status.SKIPPED: ("gray", ":material/skip_next:"),
    Status.UNUSABLE: ("gray", ":material/hide_image:"),
    Status.UNSURE: ("violet", ":material/help:"),
    Status.VOTING: ("blue", ":material/how_to_vote:"),
    Status.DISPUTED: ("violet", ":material/balance:"),
    Status.PENDING: ("blue", ":material/hourglass_empty:"),
}


def reviewer(app: App) -> str | None:
    """The user's name; a form if it is not known."""
    if named():
        return review_search.spelling(app, user())
    with st.container(border=True):
        st.markdown(
            "**Who is reviewing?** Your name is recorded with every decision, and images are reserved for it meanwhile."
        )
        if name_form("Start reviewing", field="Reviewer", key="reviewer_name"):
            st.rerun()
    return None


def strategy_input() -> Strategy:
    chosen: Strategy = st.selectbox(
        "Review order",
        list(ORDERS),
        format_func=ORDER_NAMES.__getitem__,
        key="review_strategy",
        width=220,
        bind="query-params",
    )
    return chosen


def model_input(app: App) -> str | None:
    """The selected model; None for all models, each with its own class names."""
    makers = capture.makers(app)
    chosen: str | None = st.selectbox(
        "Model",
        [None, *(maker.name for maker in makers)],
        format_func=lambda name: name or "All models",
        key="review_model",
        width=220,
        help="Captured inferences: " + ", ".join(f"{maker.name} {maker.inferences:,}" for maker in makers),
        bind="query-params",
    )
    return chosen


def view_input() -> bool:
    """Whether to review a page of thumbnails at a time, instead of one image."""
    views = ("Desk", "Grid")
    chosen = st.segmented_control("View", views, default="Desk", required=True, key="review_view", bind="query-params")
    return chosen == "Grid"


def class_input(app: App) -> str | None:
    """The predicted class whose images the grid shows; None if no class has a name."""
    classes = review_figures.predicted_classes(app)
    chosen: str | None = st.selectbox(
        "Predicted class",
        classes,
        format_func=lambda name: name.replace("_", " "),
        key="review_class",
        width=220,
        bind="query-params",
    )
    return chosen


def keys_input() -> bool:
    """Whether single keys label; who drives the page by voice or keyboard alone may switch them off."""
    return st.toggle("Keyboard shortcuts", True, key="review_keys")


@st.fragment
def reviewing(app: App, name: str, strategy: Strategy, model: str | None, keys: bool, queue: int | None = None) -> None:
    """Progress, the desk, and the last decisions. A fragment: a decision reruns only this."""
    here = desk(name, strategy, model, queue)
    with shown_errors():
        here.raise_error()
    with shown_errors():
        figures = review_figures.queue(app)
        if queue is None:
            _progress(figures)
        else:
            queue_progress(app, queue)
        review_desk(app, here, keys=keys)
        _figures(figures)
        if queue is None and not figures.pending and figures.labels:
            st.success(
                "Every low-confidence image is decided. Retrain with the labels on **Models**.",
                icon=":material/task_alt:",
            )
        _recent(app, here)
        exchange(app, name, figures)


@st.fragment
def reviewing_pages(
    app: App, name: str, strategy: Strategy, model: str | None, predicted: str | None, keys: bool
) -> None:
    """Progress, the grid, and the last decisions. A fragment: a page reruns only this."""
    if predicted is None:
        st.info("The classes of the captured inferences have no names: name them on Monitor.")
        return
    here = grid(name, strategy, predicted, model)
    if here.error:
        st.error(plain(here.error), icon=":material/error:")
        here.error = None
    with shown_errors():
        _progress(review_figures.queue(app))
        review_grid(app, here, keys=keys)


def _progress(queue: QueueFigures) -> None:
    total = queue.decided + queue.pending
    rest = "" if queue.pending else " The remaining images are above the threshold."
    st.progress(queue.decided / total if total else 1.0, text=f"{queue.decided:,} of {total:,} images decided.{rest}")


def _figures(queue: QueueFigures) -> None:
    grid = st.grid(4, min_column_width=130, gap="small")
    grid.metric("Pending", f"{queue.pending:,}", border=True, help="Low-confidence images without a decision.")
    grid.metric("Confirmed", f"{queue.confirmed:,}", border=True, help="The label is the model's prediction.")
    grid.metric("Relabelled", f"{queue.relabelled:,}", border=True, help="The label differs from the prediction.")
    skipped = f"Left without a label. Beside them, {queue.unusable:,} unusable and {queue.unsure:,} for an adjudicator."
    grid.metric("Skipped", f"{queue.skipped:,}", border=True, help=skipped)


def _recent(app: App, here: Desk) -> None:
    blind = here.queue is not None and queues.get(app, here.queue).reviewers > 1  # votes are given without the others'
    rows = review.reviewed(app, limit=None if blind else _RECENT)
    rows = [row for row in rows if not blind or row["reviewer"] == here.reviewer][:_RECENT]
    if not rows:
        return
    st.markdown("## Recent decisions", help="You can take back only your own decisions.")
    for row in rows:
        own = row["reviewer"] == here.reviewer
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            captured_image(app, row["id"], width=40, side=96, alt="The decided image")
            colour, icon = _STATUSES[Status(row["status"])]
            st.badge(plain(str(row["label_text"] or row["status"]).replace("_", " ")), icon=icon, color=colour)
            st.caption(_about(row, own), width="stretch")
            if own:
                take_back = partial(_take_back, app, here, row["id"])
                action_button("Take back", take_back, key=f"take-back-{row['id']}", icon=":material/undo:")


def _about(row: dict[str, Any], own: bool) -> str:
    """Prediction, reviewer and time of a decision."""
    who = "" if own else f" · {plain(row['reviewer'])}"
    said = f"{plain(row['prediction'].replace('_', ' '))} {percent(row['confidence'], 0)} by {row['model']}"
    note = f" · “{plain(row['note'])}”" if row["note"] else ""
    return f"{said}{who} · {clock_text(row['time'])}{note}"


def _take_back(app: App, here: Desk, id: str) -> None:
    review.undo(app, here.reviewer, id=id)
    here.put_first(app, id)
