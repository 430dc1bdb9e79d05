"""Labels that are probably wrong, to correct or to exclude in a new dataset version."""

import streamlit as st

from scones_core.domain.datasets import TEST, DatasetVersion
from scones_core.domain.models import ModelVersion
from scones_core.services import App, dataset_changes, label_suspects
from scones_core.services.label_suspects import Suspect, Suspects
from scones_core.ui.data.dataset_view import OPENED
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.images import tile_image
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.widgets import percent

SHOWN = 24
_KEEP, _EXCLUDE = "Keep", "Exclude"


@st.fragment
def suspects_view(app: App, version: DatasetVersion) -> None:
    """The labels most doubted, with a choice below each; nothing changes before it is applied."""
    model = label_suspects.trained_on(app, version)
    if model is None:
        st.info("No model has been trained on this version yet. Train one to check its labels.", icon=":material/rule:")
        return
    found = _suspects(app, str(app.settings.home), version.id, model.number, version, model)
    if not found.suspects:
        st.success(f"{model.id} agrees with all {found.checked:,} labels.", icon=":material/check_circle:")
        return
    st.caption(
        f"Of {found.checked:,} train and test images, those whose label models contradict most that had not seen them "
        f"({model.id} and its cross-validation). They are hard or wrong: look, and correct what is wrong."
    )
    grid = st.grid(6, min_column_width=150, gap=14)
    choices = {one.image.sha256: _choice(app, grid, version, one) for one in found.suspects}
    labels = {image: choice for image, choice in choices.items() if choice not in (_KEEP, _EXCLUDE)}
    out = {image for image, choice in choices.items() if choice == _EXCLUDE}
    changes = len(labels) + len(out)
    action_button(
        f"Apply {changes:,} changes" if changes != 1 else "Apply 1 change",
        lambda: _apply(app, version, labels, out),
        key="apply_suspects",
        icon=":material/done_all:",
        primary=True,
        disabled=not changes,
        help="Makes a new dataset version; this one stays as it is.",
    )


@st.cache_resource(show_spinner="Checking the labels…", max_entries=4)
def _suspects(
    _app: App, home: str, dataset: str, number: int, _version: DatasetVersion, _model: ModelVersion
) -> Suspects:
    return label_suspects.suspects(_app, _version, _model, count=SHOWN)


def _choice(app: App, grid: "st.delta_generator.DeltaGenerator", version: DatasetVersion, one: Suspect) -> str:
    label, prediction = (plain(name.replace("_", " ")) for name in (one.label, one.prediction))
    with grid.container(gap="small"):
        st.image(
            tile_image(app, one.image.key, one.image.sha256),
            f"**{label}** ({one.image.split})  \nheld-out: {prediction}, {percent(one.self_confidence, 0)} {label}",
            width="stretch",
            alt=f"{one.image.key}, labelled {one.label}",
        )
        exclude = [] if one.image.split == TEST else [_EXCLUDE]
        chosen: str = st.selectbox(
            f"Label of {one.image.key}",
            [_KEEP, *(name for name in version.classes if name != one.label), *exclude],
            format_func=lambda name: name.replace("_", " "),
            label_visibility="collapsed",
            key=f"suspect_{version.id}_{one.image.sha256}",
        )
    return chosen


def _apply(app: App, version: DatasetVersion, labels: dict[str, str], out: set[str]) -> str:
    new = dataset_changes.relabel(app, version.id, labels) if labels else version
    if out:
        new = dataset_changes.exclude(app, new.id, out)
    st.session_state.pop(OPENED, None)
    return f"Dataset version {new.id}: {len(labels):,} labels corrected, {len(out):,} images excluded"
