"""Images on screen: equal square tiles, enlarged well from 32 × 32."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st
from PIL import Image, ImageOps

from scones_core.errors import BadImage, SconesError
from scones_core.services import App, capture, etl
from scones_core.vision.images import decode

SIDE = 192  # pixels of a tile


@dataclass(frozen=True)
class Tile:
    """An image of the object store; `sha256`, or another key of its content, is the cache key.

    caption : Markdown; names go through `plain`.  event : id of a captured inference, whose image it is instead.
    """

    key: str
    sha256: str
    caption: str
    alt: str
    event: str = ""


@st.cache_data(show_spinner=False, max_entries=3000)
def enlarged(data: bytes, side: int = SIDE) -> bytes:
    """A square PNG of `side` pixels; Lanczos keeps the edges of small images sharp. An empty tile if unreadable."""
    try:
        image = decode(data).convert("RGBA")
        square = ImageOps.pad(image, (side, side), Image.Resampling.LANCZOS, color=(0, 0, 0, 0))
    except BadImage:
        square = Image.new("RGBA", (side, side), (128, 128, 128, 60))
    written = io.BytesIO()
    square.save(written, "PNG")
    return written.getvalue()


@st.cache_data(show_spinner=False, max_entries=3000)
def _stored(_app: App, home: str, key: str, sha256: str) -> bytes:
    return enlarged(etl.image(_app, key))


def tile_image(app: App, key: str, sha256: str) -> bytes:
    """An image of the object store, enlarged; an empty tile if this key does not exist."""
    try:
        return _stored(app, str(app.settings.home), key, sha256)
    except SconesError:
        return enlarged(b"")


def picture(app: App, tile: Tile) -> bytes:
    """The image of a tile, enlarged; an empty tile if it is missing."""
    if not tile.event:
        return tile_image(app, tile.key, tile.sha256)
    try:
        return enlarged(capture.image(app, tile.event))
    except SconesError:
        return enlarged(b"")


def captured_image(app: App, event_id: str, *, width: int, side: int = SIDE, alt: str) -> None:
    """The image behind a captured inference; an empty tile, with a text that says so, if the image is missing."""
    try:
        st.image(enlarged(capture.image(app, event_id), side), width=width, alt=alt)
    except SconesError:
        st.image(enlarged(b"", side), width=width, alt=f"{alt} (missing)")


def stored_tile(app: App, key: str) -> bytes | None:
    """An image of the object store, enlarged; None if this key does not exist."""
    tile = tile_image(app, key, key)
    return tile if tile != enlarged(b"") else None


def tiles(
    app: App,
    shown: Sequence[Tile],
    *,
    columns: int = 10,
    smallest: int = 80,
    below: Callable[[Tile], None] | None = None,
) -> None:
    """A grid of equal tiles with their captions. below : shows something under each."""
    grid = st.grid(columns, min_column_width=smallest, gap=10)
    for tile in shown:
        cell = grid.container(gap=None, horizontal_alignment="center") if below else grid
        cell.image(picture(app, tile), tile.caption, width="stretch", alt=tile.alt)
        if below:
            with cell:
                below(tile)
