"""The images of a dataset version as tiles, filtered by split and class, in pages."""

from collections.abc import Sequence

import streamlit as st

from scones_core.domain.datasets import SPLITS, DatasetVersion, LabelledImage
from scones_core.services import App, etl
from scones_core.services.capture import REVIEWED
from scones_core.ui.shell.images import Tile, tiles
from scones_core.ui.shell.more_like_this import more_like_this
from scones_core.ui.shell.text import plain

PER_PAGE = 30
_EVERY_SPLIT = "All splits"
_EVERY_CLASS = "All classes"


@st.fragment
def gallery(app: App, version: DatasetVersion) -> None:
    """Filters, tiles, pages. A fragment: turning a page does not rerun the rest."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        split = st.segmented_control(
            "Split",
            [_EVERY_SPLIT, *SPLITS],
            default=_EVERY_SPLIT,
            required=True,
            format_func=str.capitalize,
            key="gallery_split",
        )
        chosen = st.selectbox("Class", [_EVERY_CLASS, *version.classes], key="gallery_class", width=220)
    images = _chosen(app, str(app.settings.home), version, split, chosen)
    pages = max(1, -(-len(images) // PER_PAGE))
    page = st.session_state.get(f"gallery_page_{version.id}_{split}_{chosen}", 1)
    start = (page - 1) * PER_PAGE
    shown = images[start : start + PER_PAGE]
    tiles(
        app,
        [_tile(version, image) for image in shown],
        below=lambda tile: more_like_this(app, tile.sha256, key=tile.key),
    )
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"Images {start + 1:,} to {start + len(shown):,} of {len(images):,}", width="content")
        st.pagination(pages, key=f"gallery_page_{version.id}_{split}_{chosen}")


@st.cache_resource(show_spinner=False, max_entries=8, hash_funcs={DatasetVersion: lambda version: version.id})
def _chosen(_app: App, home: str, version: DatasetVersion, split: str, chosen: str) -> Sequence[LabelledImage]:
    """The filtered images, cached: a version never changes."""
    images = [image for image in etl.images(_app, version.id) if _shown(version, image, split, chosen)]
    return images if chosen != _EVERY_CLASS else _interleaved(images)


def _shown(version: DatasetVersion, image: LabelledImage, split: str, chosen: str) -> bool:
    name = version.classes[image.class_index]
    return split in (_EVERY_SPLIT, image.split) and chosen in (_EVERY_CLASS, name)


def _interleaved(images: Sequence[LabelledImage]) -> list[LabelledImage]:
    """The same images with classes interleaved, so that every page shows each class."""
    seen: dict[int, int] = {}
    ranked = []
    for image in images:
        rank = seen[image.class_index] = seen.get(image.class_index, -1) + 1
        ranked.append((rank, image.class_index, image))
    return [image for _, _, image in sorted(ranked)]


def _tile(version: DatasetVersion, image: LabelledImage) -> Tile:
    name = version.classes[image.class_index]
    reviewed = ", reviewed" if image.key.startswith(REVIEWED) else ""
    caption = f"{plain(name.replace('_', ' '))}  \n{image.split}{reviewed}"
    return Tile(image.key, image.sha256, caption, f"{name}, {image.split} image {image.key}{reviewed}")
