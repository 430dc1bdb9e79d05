"""The images of an ended batch, by outcome, a page at a time."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from scones_core.services import App, likeness
from scones_core.services.batch import Batch
from scones_core.services.batch_results import BatchItem, failures, items
from scones_core.ui.shell import navigation
from scones_core.ui.shell.images import Tile, tiles
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.widgets import percent

_PER_PAGE = 40
NEWS = 30  # seconds until images compared in the meantime are looked for
_OUTCOMES = {
    "low_confidence": ":material/flag: Low confidence",
    "accepted": ":material/check: Accepted",
    "error": ":material/error: Errors",
    "unlike": ":material/help: Unlike the training images",
}


def batch_items(app: App, one: Batch) -> None:
    """All images, the least confident first; the reasons of those that failed."""
    found = _items(app, one.name, one)
    strange = _unlike(app, one.name, [item.image for item in found])
    groups = {outcome: [item for item in found if item.outcome == outcome] for outcome in _OUTCOMES}
    groups["unlike"] = [item for item in found if item.image in strange]
    counts = {outcome: len(group) for outcome, group in groups.items()}
    shown = [outcome for outcome, count in counts.items() if count]
    if not shown:
        return
    outcome = st.segmented_control(
        "Images of the batch",
        shown,
        default=shown[0],
        format_func=lambda name: f"{_OUTCOMES[name]} ({counts[name]:,})",
        required=True,
        key=f"batch_outcome_{one.name}",
    )
    if outcome == "error":
        _failures(app, one)
    if outcome == "unlike":
        st.caption("Less similar to the model's training images than 95% of these are to each other.")
    _tiles(app, one, groups[outcome], outcome)
    if outcome == "low_confidence":
        navigation.link("review", "Review low-confidence images")


def _tiles(app: App, one: Batch, chosen: Sequence[BatchItem], group: str) -> None:
    pages, key = -(-len(chosen) // _PER_PAGE), f"batch_page_{one.name}_{group}"
    page = min(st.session_state.get(key, 1), pages)
    tiles(app, [_tile(item) for item in chosen[(page - 1) * _PER_PAGE : page * _PER_PAGE]])
    if pages > 1:
        st.pagination(pages, key=key)


def _tile(item: BatchItem) -> Tile:
    name = item.image.rsplit("/", 1)[-1]
    said = percent(item.confidence) if item.confidence is not None else item.error or "failed"
    return Tile(item.image, item.image, f"{plain(name)}  \n{plain(said)}", f"{name}: {item.outcome}, {said}")


def _failures(app: App, one: Batch) -> None:
    """The errors as a table: unreadable images have no tiles."""
    rows = _known_failures(app, one.name, one)
    if rows:
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            height=min(300, 35 * len(rows) + 40),
            column_config={name: name.capitalize() for name in rows[0]},
            alt="Images that could not be classified, with the error of each",
        )


@st.cache_data(show_spinner=False, max_entries=20)
def _items(_app: App, name: str, _one: Batch) -> list[BatchItem]:
    """Cached: an ended batch does not change, and its results may be large."""
    return sorted(items(_app, _one), key=lambda item: item.confidence or 0.0)


@st.cache_data(show_spinner=False, max_entries=20, ttl=NEWS)
def _unlike(_app: App, name: str, _keys: Sequence[str]) -> set[str]:
    return likeness.unlike_keys(_app, _keys)


@st.cache_data(show_spinner=False, max_entries=50)
def _known_failures(_app: App, name: str, _one: Batch) -> list[dict[str, str]]:
    return failures(_app, _one)
