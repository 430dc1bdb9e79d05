"""The map of a dataset version, and excluding what is selected on it."""

from collections.abc import Sequence

import streamlit as st

from scones_core.domain.datasets import TEST, DatasetVersion, LabelledImage
from scones_core.services import App, dataset_changes, etl
from scones_core.ui.data.dataset_view import OPENED
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.likeness_map import Colouring, Rows, likeness_map_section, sampled
from scones_core.ui.shell.text import plain


def dataset_map(app: App, version: DatasetVersion) -> None:
    """Coloured by class or split; selected images can be excluded from a new dataset version."""
    rows = _rows(app, str(app.settings.home), version)

    def act(chosen: Rows) -> None:
        out = [str(row["sha256"]) for row in chosen if row["split"] != TEST]
        action_button(
            f"Exclude {len(out):,} images",
            lambda: _exclude(app, version, out),
            key="exclude_images",
            icon=":material/filter_alt_off:",
            disabled=not out,
            help="Makes a new dataset version without them. Test images stay: the test set is sealed.",
        )

    what = f"images of {version.id}" if len(rows) == _total(version) else f"of {_total(version):,} images"
    colours = {"Class": Colouring("class"), "Split": Colouring("split")}
    likeness_map_section(app, rows, name=f"dataset {version.id}", colours=colours, what=what, act=act)


@st.cache_data(show_spinner=False, max_entries=8, hash_funcs={DatasetVersion: lambda version: version.id})
def _rows(_app: App, home: str, version: DatasetVersion) -> list[dict[str, str]]:
    """Cached: a version never changes."""
    return [_row(version, image) for image in sampled(etl.images(_app, version.id))]


def _total(version: DatasetVersion) -> int:
    return version.train + version.pool + version.test


def _row(version: DatasetVersion, image: LabelledImage) -> dict[str, str]:
    name = version.classes[image.class_index].replace("_", " ")
    return {
        "sha256": image.sha256,
        "key": image.key,
        "class": name,
        "split": image.split,
        "caption": f"{plain(name)}  \n{image.split}",
        "alt": f"{name}, {image.split} image {image.key}",
    }


def _exclude(app: App, version: DatasetVersion, images: Sequence[str]) -> str:
    new = dataset_changes.exclude(app, version.id, set(images))
    st.session_state.pop(OPENED, None)
    return f"Dataset version {new.id} made without {len(images):,} images"
