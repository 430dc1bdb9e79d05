"""The images of a selection, page by page, to review or to export."""

from functools import partial

import streamlit as st

from scones_core.domain.inference_filter import InferenceFilter
from scones_core.domain.review import in_words as label_in_words
from scones_core.errors import SconesError
from scones_core.services import App, capture, gallery, inference_export
from scones_core.services.gallery import Page, Shown
from scones_core.services.queues import QueueEntry
from scones_core.ui.monitor.filters import in_words, maker_name
from scones_core.ui.monitor.selection_queue import review_button
from scones_core.ui.shell.images import enlarged
from scones_core.ui.shell.more_like_this import more_like_this
from scones_core.ui.shell.session import shown_errors
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import time_text
from scones_core.ui.shell.widgets import percent

MOST_REVIEWED = 200  # images of a queue made here
_NUMBER = "monitor_gallery_page"


def images(app: App, which: InferenceFilter) -> None:
    """The images that a filter leaves, newest first."""
    with shown_errors():
        number = int(st.session_state.get(_key(which), 1))
        found = gallery.page(app, which, number)
        st.markdown(f"### {found.total:,} selected: {plain(in_words(which))}")
        _actions(app, which, found)
        if not found.total:
            st.info("No inferences are selected. Clear the selection, or choose another.", icon=":material/image:")
            return
        grid = st.grid(10, min_column_width=96, gap=10)
        for shown in found.images:
            _tile(app, grid, shown)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            first = (number - 1) * gallery.PER_PAGE + 1
            st.caption(
                f"Inferences {first:,} to {first + len(found.images) - 1:,} of {found.total:,}, newest first",
                width="content",
            )
            if found.of > 1:
                st.pagination(found.of, key=_key(which))


def _key(which: InferenceFilter) -> str:
    return f"{_NUMBER}-{hash(which)}"


def _tile(app: App, grid: "st.delta_generator.DeltaGenerator", shown: Shown) -> None:
    name = shown.prediction.replace("_", " ")
    mark = ":material/flag:" if shown.low else ":material/check:"
    label = "" if shown.label is None else f"  \n:material/person: {plain(label_in_words(shown.label) or '')}"
    kind = "low-confidence" if shown.low else "accepted"
    alt = f"{name}, {kind}, confidence {percent(shown.confidence)}, captured {time_text(shown.time)}"
    caption = f"{mark} {plain(name)} {percent(shown.confidence)}{label}"
    with grid.container(gap=None, horizontal_alignment="center"):
        st.image(_image(app, str(app.settings.home), shown.event_id), caption, width="stretch", alt=alt)
        more_like_this(app, shown.image_sha256, key=shown.event_id)


@st.cache_data(show_spinner=False, max_entries=3000)
def _image(_app: App, home: str, event_id: str) -> bytes:
    try:
        return enlarged(capture.image(_app, event_id), 128)
    except SconesError:
        return enlarged(b"", 128)


def _actions(app: App, which: InferenceFilter, found: Page) -> None:
    some = f"the newest {MOST_REVIEWED} images" if found.total > MOST_REVIEWED else "these"
    with st.container(horizontal=True, vertical_alignment="center"):
        review_button(
            app,
            f"Review {some}",
            lambda: _entries(app, which),
            name=f"Monitor: {in_words(which)}",
            selection=which,
            key="review_these",
            disabled=not found.total,
        )
        for text, export, file, mime in (
            ("Export CSV", inference_export.captured_csv, "captured-inferences.csv", "text/csv"),
            ("Export JSON Lines", inference_export.captured_jsonl, "captured-inferences.jsonl", "application/jsonl"),
        ):
            st.download_button(
                text,
                partial(export, app, which),
                file,
                mime,
                icon=":material/download:",
                key=f"export_{file}",
                on_click="ignore",
                disabled=not found.total,
                help="All selected inferences: time, image, prediction, confidence, model.",
            )


def _entries(app: App, which: InferenceFilter) -> list[QueueEntry]:
    why = f"Sent from Monitor: {in_words(which)}"
    return [QueueEntry(id, why) for id in gallery.event_ids(app, which, MOST_REVIEWED)]


def maker_text(model: str) -> str:
    return f"by {model}" if model.startswith("v") else maker_name(model).lower()
