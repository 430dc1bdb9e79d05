"""A map of the newest captured images, and reviewing what is selected on it."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from scones_core.domain.inference_filter import InferenceFilter
from scones_core.domain.review import is_label
from scones_core.services import App, gallery
from scones_core.services.gallery import Shown
from scones_core.services.likeness_map import MOST
from scones_core.services.queues import QueueEntry
from scones_core.ui.monitor.filters import in_words
from scones_core.ui.monitor.selection_queue import review_button
from scones_core.ui.shell.likeness_map import Colouring, Rows, likeness_map_section, make_button
from scones_core.ui.shell.session import get_background
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import time_text
from scones_core.ui.shell.widgets import percent
from scones_core.vision.extractor import missing

COLOURS = {
    "Predicted class": Colouring("class"),
    "Confidence": Colouring("confidence", percent),
    "Error": Colouring("error"),
    "Time": Colouring("time", lambda seconds: time_text(datetime.fromtimestamp(seconds, UTC))),
}
NAME = "captured"
NEWS = 30  # seconds until new captures and labels are on the map


@st.fragment
def captured_map(app: App, which: InferenceFilter) -> None:
    """The images that the page's filter leaves, at most 5,000; selected ones go to Review.

    One map for all filters, which is made again when asked for: they choose among its points.
    """
    st.header("Map of captured images", anchor=False)
    if reason := missing():
        st.info(plain(reason), icon=":material/info:")
        return
    made = get_background().get(f"map {NAME}")
    if made is None:
        st.caption("Places the newest captured images that match the filters by the likeness of their pictures.")
        make_button(app, lambda: _rows(app, which), NAME, "Make the map")
        return
    rows = _kept_rows(app, str(app.settings.home), which)
    words = in_words(which)
    what = f"images of the newest {MOST:,} {words}" if len(rows) >= MOST else f"images of {words}"

    def act(chosen: Rows) -> None:
        events = tuple(str(row["event"]) for row in chosen)
        review_button(
            app,
            f"Review these {len(events):,}",
            lambda: [QueueEntry(event, "Selected on the map of captured images") for event in events],
            name=f"Map: {words}",
            selection=events,
            key="review_mapped",
        )

    if made.result:
        make_button(app, lambda: rows, NAME, "Make the map again", disabled=not rows)
    likeness_map_section(app, rows, name=NAME, colours=COLOURS, what=plain(what), act=act)


@st.cache_data(show_spinner=False, max_entries=8, ttl=NEWS)
def _kept_rows(_app: App, home: str, which: InferenceFilter) -> Rows:
    """Kept for a while: the page runs often, and reads thousands of rows here."""
    return _rows(_app, which)


def _rows(app: App, which: InferenceFilter) -> Rows:
    """One per image, its newest inference."""
    newest: dict[str, Shown] = {}
    for one in gallery.page(app, which, size=MOST).images:
        newest.setdefault(one.image_sha256, one)
    return [_row(one) for one in newest.values()]


def _row(one: Shown) -> dict[str, Any]:
    name = one.prediction.replace("_", " ")
    known = one.label is not None and is_label(one.label)
    error = "no label" if not known else "right" if one.label == one.prediction else "wrong"
    return {
        "sha256": one.image_sha256,
        "key": "",
        "event": one.event_id,
        "class": name,
        "confidence": one.confidence,
        "error": error,
        "time": one.time.timestamp(),
        "caption": f"{plain(name)} {percent(one.confidence)}  \n{error}",
        "alt": f"{name}, confidence {percent(one.confidence)}, {error}",
    }
