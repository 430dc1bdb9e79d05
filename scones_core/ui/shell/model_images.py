"""The test images behind a figure: a cell of the confusion matrix, and disagreements of two models."""

from collections.abc import Sequence

import streamlit as st

from scones_core.domain.models import ModelVersion
from scones_core.errors import NotFound
from scones_core.services import App, model_answers
from scones_core.services.model_answers import ModelAnswer
from scones_core.ui.shell.images import Tile, tiles
from scones_core.ui.shell.model_charts import Cell
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.widgets import percent

PER_PAGE = 30
_ERRORS = "All errors"


def cell_images(app: App, model: ModelVersion, clicked: Cell | None) -> None:
    """The test images of the chosen cell of the confusion matrix, by default all errors; most confident first."""
    try:
        found = model_answers.answers(app, model, model.dataset)
    except NotFound:  # a model registered before its answers were kept
        return
    cells: dict[Cell | None, list[ModelAnswer]] = {None: [one for one in found if not one.right]}
    for one in sorted(found, key=lambda one: (one.right, one.label, one.prediction)):
        cells.setdefault((one.label, one.prediction), []).append(one)
    places = list(cells)
    chosen = st.selectbox(
        "Test images",
        places,
        index=places.index(clicked) if clicked in cells else 0,
        format_func=lambda cell: f"{_name(cell)} ({len(cells[cell])})",
        key=f"cell-{model.id}-{clicked}",
        width=420,
        help="A click on the confusion matrix chooses a cell, too.",
    )
    if cells[chosen]:
        _pages(
            app,
            [
                _tile(one, f"{plain(_said(one))}  \nlabel: {plain(one.label.replace('_', ' '))}")
                for one in cells[chosen]
            ],
            key=f"cell-{model.id}-{chosen}",
        )
    else:
        st.caption("No errors on the test images.")


def differing_images(app: App, old: ModelVersion, new: ModelVersion, *, key: str) -> None:
    """The test images on which exactly one of two models is right."""
    gained, lost = model_answers.disagreements(app, old, new)
    if not gained and not lost:
        return
    parts = {f"Only {new.id} is right ({len(gained)})": gained, f"Only {old.id} is right ({len(lost)})": lost}
    with st.expander(f"The {len(gained) + len(lost)} images on which one of the two is right", icon=":material/image:"):
        part = st.segmented_control(
            "Images", list(parts), default=next(iter(parts)), required=True, key=f"{key}-{old.id}-{new.id}"
        )
        shown = [
            _tile(second, f"{old.id}: {plain(_said(first))}  \n{new.id}: {plain(_said(second))}")
            for first, second in parts[str(part)]
        ]
        _pages(app, shown, key=f"{key}-{part}")


def _pages(app: App, shown: Sequence[Tile], *, key: str) -> None:
    page = st.session_state.get(f"page-{key}", 1)
    tiles(app, shown[(page - 1) * PER_PAGE : page * PER_PAGE])
    if len(shown) > PER_PAGE:
        st.pagination(-(-len(shown) // PER_PAGE), key=f"page-{key}")


def _tile(one: ModelAnswer, caption: str) -> Tile:
    alt = f"Test image {one.image.key}, labelled {one.label}, predicted {one.prediction}"
    return Tile(one.image.key, one.image.sha256, caption, alt)


def _said(one: ModelAnswer) -> str:
    return f"{one.prediction.replace('_', ' ')} {percent(one.confidence)}"


def _name(cell: Cell | None) -> str:
    if cell is None:
        return _ERRORS
    label, prediction = (name.replace("_", " ") for name in cell)
    return f"{label}, right" if label == prediction else f"{label} predicted as {prediction}"
