"""A dialog with the images most like a given one."""

import streamlit as st

from scones_core.services import App, likeness
from scones_core.services.likeness import Neighbour
from scones_core.ui.shell.images import Tile, picture, tiles
from scones_core.ui.shell.text import plain
from scones_core.vision.extractor import missing

COUNT = 24
ICON = ":material/image_search:"


def more_like_this(app: App, sha256: str, *, key: str) -> None:
    """A button that opens the dialog."""
    if st.button("Alike", icon=ICON, help="More like this", key=f"like_{key}", type="tertiary"):
        _dialog(app, sha256)


@st.dialog("More like this", width="large")
def _dialog(app: App, sha256: str) -> None:
    if reason := missing():
        st.info(plain(reason), icon=":material/info:")
        return
    found = likeness.neighbours(app, sha256, count=COUNT)
    own, text = st.columns([1, 5], vertical_alignment="center")
    if found.itself:
        own.image(picture(app, _tile(found.itself)), width=110, alt="The image asked about")
    if not found.nearest:
        text.info("This image has no embedding yet; it is computed in the background.", icon=":material/hourglass_top:")
        return
    text.caption(
        f"The {len(found.nearest)} most alike of {found.among:,} images: those of the current dataset version and the "
        "newest captured ones. Below each, the cosine of the two embeddings; 1 is the same picture."
    )
    tiles(app, [_tile(one) for one in found.nearest], columns=8)


def _tile(one: Neighbour) -> Tile:
    name = one.what.replace("_", " ")
    return Tile(
        one.key, one.sha256, f"{plain(name)}  \n{one.cosine:.2f}", f"{name}, cosine {one.cosine:.2f}", one.event
    )
