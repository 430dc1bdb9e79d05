"""Controls for the images to classify: random, from the gallery, or uploaded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from scones_core.domain.datasets import DatasetVersion, LabelledImage
from scones_core.services import App, classification, etl
from scones_core.ui.shell.images import tile_image
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.widgets import no_pool_note, sent_count, sent_images_text

Source = Literal["random", "gallery", "upload"]

_SOURCES: dict[Source, str] = {
    "random": ":material/casino: Random draw",
    "gallery": ":material/photo_library: Gallery",
    "upload": ":material/upload_file: Upload",
}
_PER_PAGE = 24
_CHOSEN = "workflow_chosen_keys"
_UPLOADS = "workflow_uploads"


@dataclass(frozen=True)
class ChosenImages:
    """`keys` returns object-store keys (uploads are stored first); `missing` names the input that is still needed."""

    count: int
    keys: Callable[[], list[str]]
    missing: str | None = None

    @property
    def label(self) -> str:
        """Label of the start button."""
        if self.missing:
            return "Start executions"
        return "Start 1 execution" if self.count == 1 else f"Start {self.count} executions"


def images_input(app: App, dataset: DatasetVersion) -> ChosenImages:
    """The source control, the controls of the chosen source, and the images they select."""
    source: Source = st.segmented_control(
        "Images",
        tuple(_SOURCES),
        default="random",
        format_func=_SOURCES.__getitem__,
        required=True,
        key="workflow_source",
    )
    return {"random": _random, "gallery": _gallery, "upload": _upload}[source](app, dataset)


def forget_choice() -> None:
    """Clear the selection, once its images have been sent."""
    for key in _chosen():
        st.session_state.pop(_box(key), None)
    _chosen().clear()
    st.session_state[_UPLOADS] = st.session_state.get(_UPLOADS, 0) + 1


def _random(app: App, dataset: DatasetVersion) -> ChosenImages:
    count = st.slider(
        f"How many of the {sent_images_text(dataset)}",
        1,
        max(2, min(200, sent_count(dataset))),
        min(20, sent_count(dataset)),
        key="workflow_count",
    )
    no_pool_note(dataset)
    return ChosenImages(count, lambda: classification.sample_keys(app, count))


def _gallery(app: App, dataset: DatasetVersion) -> ChosenImages:
    images = alternating(etl.images(app, dataset.id, dataset.sent_split))
    pages = -(-len(images) // _PER_PAGE)
    page = st.session_state.get("workflow_gallery_page", 1)
    grid = st.grid(8, min_column_width=104, gap=10)
    for image in images[(page - 1) * _PER_PAGE : page * _PER_PAGE]:
        with grid.container(gap="xsmall"):
            name = dataset.classes[image.class_index].replace("_", " ")
            alt = f"{name}, {image.split} image {image.key}"
            st.image(tile_image(app, image.key, image.sha256), width="stretch", alt=alt)
            _choice(image, name)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{len(_chosen())} chosen of {sent_images_text(dataset)}", width="content")
        st.pagination(pages, key="workflow_gallery_page")
    keys = sorted(_chosen())
    return ChosenImages(len(keys), lambda: keys, None if keys else "Tick at least one image.")


def _choice(image: LabelledImage, name: str) -> None:
    """A checkbox that stays ticked when the gallery turns to another page."""
    st.session_state.setdefault(_box(image.key), image.key in _chosen())
    ticked = st.checkbox(plain(name), key=_box(image.key))
    (_chosen().add if ticked else _chosen().discard)(image.key)


def _upload(app: App, _dataset: DatasetVersion) -> ChosenImages:
    files = st.file_uploader(
        "Pictures to classify",
        type=["png", "jpg", "jpeg"],
        accept_multiple_files=True,
        max_upload_size=classification.MAX_UPLOAD // 1_000_000,
        key=f"workflow_upload_{st.session_state.get(_UPLOADS, 0)}",
        help="Scaled to 32 × 32 pixels for the model.",
    )
    return ChosenImages(
        len(files),
        lambda: [classification.upload(app, file.name, file.getvalue()) for file in files],
        None if files else "Add at least one PNG or JPEG picture.",
    )


def alternating(images: list[LabelledImage]) -> list[LabelledImage]:
    """The images with classes interleaved, so that every page of the gallery shows each class."""
    by_class: dict[int, list[LabelledImage]] = {}
    for image in images:
        by_class.setdefault(image.class_index, []).append(image)
    place = {image.key: number for group in by_class.values() for number, image in enumerate(group)}
    return sorted(images, key=lambda image: (place[image.key], image.class_index))


def _chosen() -> set[str]:
    chosen: set[str] = st.session_state.setdefault(_CHOSEN, set())
    return chosen


def _box(key: str) -> str:
    return f"workflow_box_{key}"
