"""The Review page around the desk: reviewer, progress, recent decisions, exports."""

from functools import partial
from typing import Any

import streamlit as st

from scones_core.domain.review import Status, Strategy
from scones_core.services import App, capture, label_export, review
from scones_core.services.label_export import ExportFormat
from scones_core.services.review import QueueFigures
from scones_core.ui.review.desk import review_desk
from scones_core.ui.review.keys import Desk, desk
from scones_core.ui.review.queue_view import queue_progress
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.images import captured_image
from scones_core.ui.shell.session import shown_errors
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import clock_text
from scones_core.ui.shell.user import name_form, named, user
from scones_core.ui.shell.widgets import Colour, percent

_RECENT = 6
_STRATEGIES = {
    Strategy.LEAST_CONFIDENCE: "Least confident",
    Strategy.MARGIN: "Smallest margin",
    Strategy.ENTROPY: "Highest entropy",
    Strategy.RANDOM: "Random",
    Strategy.NEWEST: "Newest",
    Strategy.OLDEST: "Oldest",
}
_STATUSES: dict[Status, tuple[Colour, str]] = {
    Status.CONFIRMED: ("green", ":material/check:"),
    Status.RELABELLED: ("orange", ":material/swap_horiz:"),
    Status.LABELLED: ("green", ":material/label:"),
    Status.SKIPPED: ("gray", ":material/skip_next:"),
    Status.PENDING: ("blue", ":material/hourglass_empty:"),
}
_EXPORTS = {
    ExportFormat.MANIFEST: ("Augmented manifest", "reviewed.manifest", "application/jsonl"),
    ExportFormat.LABEL_STUDIO: ("Label Studio", "reviewed-label-studio.json", "application/json"),
    ExportFormat.CSV: ("CSV", "reviewed.csv", "text/csv"),
}


def reviewer() -> str | None:
    """The user's name; a form if it is not known."""
    if named():
        return user()
    with st.container(border=True):
        st.markdown(
            "**Who is reviewing?** Your name is recorded with every decision, and images are reserved for it meanwhile."
        )
        if name_form("Start reviewing", field="Reviewer", key="reviewer_name"):
            st.rerun()
    return None


def strategy_input() -> Strategy:
    chosen: Strategy = st.selectbox(
        "Review order", list(_STRATEGIES), format_func=_STRATEGIES.__getitem__, key="review_strategy", width=220
    )
    return chosen


def model_input(app: App) -> str | None:
    """The selected model; None for all models, each with its own class names."""
    found: dict[str | None, str] = {
        None: "All models",
        **{m.name: f"{m.name} ({m.inferences:,})" for m in capture.makers(app)},
    }
    chosen: str | None = st.selectbox(
        "Model", list(found), format_func=lambda name: found[name], key="review_model", width=220
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
        figures = review.queue(app)
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
        _exports(app, figures)


def _progress(queue: QueueFigures) -> None:
    decided = queue.labels + queue.skipped
    total = decided + queue.pending
    rest = "" if queue.pending else " The remaining images are above the threshold."
    st.progress(decided / total if total else 1.0, text=f"{decided:,} of {total:,} images decided.{rest}")


def _figures(queue: QueueFigures) -> None:
    grid = st.grid(4, min_column_width=130, gap="small")
    grid.metric("Pending", f"{queue.pending:,}", border=True, help="Low-confidence images without a decision.")
    grid.metric("Confirmed", f"{queue.confirmed:,}", border=True, help="The label is the model's prediction.")
    grid.metric("Relabelled", f"{queue.relabelled:,}", border=True, help="The label differs from the prediction.")
    grid.metric("Skipped", f"{queue.skipped:,}", border=True, help="Left without a label.")


def _recent(app: App, here: Desk) -> None:
    rows = review.reviewed(app, limit=_RECENT)
    if not rows:
        return
    st.markdown("## Recent decisions", help="You can take back only your own decisions.")
    for row in rows:
        own = row["reviewer"] == here.reviewer
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            captured_image(app, row["id"], width=40, side=96, alt="The decided image")
            colour, icon = _STATUSES[Status(row["status"])]
            st.badge(plain(str(row["label_text"] or "skipped").replace("_", " ")), icon=icon, color=colour)
            st.caption(_about(row, own), width="stretch")
            if own:
                take_back = partial(_take_back, app, here, row["id"])
                action_button("Take back", take_back, key=f"take-back-{row['id']}", icon=":material/undo:")


def _about(row: dict[str, Any], own: bool) -> str:
    """Prediction, reviewer and time of a decision."""
    who = "" if own else f" · {plain(row['reviewer'])}"
    said = f"{plain(row['prediction'].replace('_', ' '))} {percent(row['confidence'], 0)} by {row['model']}"
    return f"{said}{who} · {clock_text(row['time'])}"


def _take_back(app: App, here: Desk, id: str) -> None:
    review.undo(app, here.reviewer, id=id)
    here.put_first(app, id)


def _exports(app: App, queue: QueueFigures) -> None:
    """Buttons that export the current labels; files are written on download."""
    labels = queue.labels
    st.header("Export", anchor=False)
    st.caption(
        f"{labels:,} reviewed label{'' if labels == 1 else 's'}, for training elsewhere or for another labelling tool."
    )
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
    return label_export.export(app, format)[0]
