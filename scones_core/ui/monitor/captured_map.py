"""A map of the newest captured images, and reviewing what is selected on it."""

from typing import Any

import streamlit as st

from scones_core.domain.inference_filter import InferenceFilter
from scones_core.domain.review import Strategy, is_label
from scones_core.services import App, gallery, queues
from scones_core.services.gallery import Shown
from scones_core.services.likeness_map import MOST
from scones_core.services.queues import QueueEntry
from scones_core.ui.monitor.filters import in_words
from scones_core.ui.shell.likeness_map import Rows, likeness_map_section, make_button
from scones_core.ui.shell.navigation import PageName, link
from scones_core.ui.shell.session import get_background
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.user import user
from scones_core.ui.shell.widgets import percent
from scones_core.vision.extractor import missing

COLOURS = {"Predicted class": "class:N", "Confidence": "confidence:Q", "Error": "error:N", "Time": "time:T"}
NAME = "captured"
_QUEUE = "map_queue"


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
    rows = _rows(app, which)
    words = in_words(which)
    what = f"images of the newest {MOST:,} {words}" if len(rows) >= MOST else f"images of {words}"

    def act(chosen: Rows) -> None:
        if st.button(f"Review these {len(chosen):,}", icon=":material/rate_review:", key="review_mapped"):
            entries = [QueueEntry(str(row["event"]), "Selected on the map of captured images") for row in chosen]
            name = f"Map: {words}"[: queues.LONGEST_NAME]
            st.session_state[_QUEUE] = queues.create(app, name, entries, strategy=Strategy.SELECTION, by=user())
        if queue := st.session_state.get(_QUEUE):
            link(PageName.REVIEW, "Open the review queue", query={"queue": str(queue)})

    if made.result:
        make_button(app, lambda: rows, NAME, "Make the map again", disabled=not rows)
    likeness_map_section(app, rows, name=NAME, colours=COLOURS, what=plain(what), act=act)


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
        "time": int(one.time.timestamp() * 1000),  # as Vega expects
        "caption": f"{plain(name)} {percent(one.confidence)}  \n{error}",
        "alt": f"{name}, confidence {percent(one.confidence)}, {error}",
    }
