"""Captured inferences as reviewers see them, in the class names of the models that made them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scones_core.db import inferences as inferences_table
from scones_core.services.app import App
from scones_core.services.classification import class_name, class_names


@dataclass(frozen=True)
class Item:
    """A captured inference to review.

    probabilities : class name → probability, in the class names of the model that made the inference.
    classes : the choices: these class names, or those of the model in service if unknown.
    model : the model version that made it, or why it is unknown.
    strategy, probability, queue : how it was drawn.  why : the reason shown to the reviewer.
    """

    id: str
    image: str
    prediction: str
    confidence: float
    probabilities: dict[str, float]
    lease_expires: datetime
    classes: tuple[str, ...] = ()
    model: str = ""
    strategy: str | None = None
    probability: float | None = None
    queue: int | None = None
    why: str = ""


class ClassNames:
    """Class names of inferences."""

    def __init__(self, app: App) -> None:
        self._fallback = class_names(app)
        with app.db.read() as connection:
            self._lists = inferences_table.class_lists(connection)

    def known(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """Those of the model that made the inference; empty if unknown."""
        return self._lists.get(row["class_list"], ())

    def choices(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        return self.known(row) or self._fallback


def make_item(row: Mapping[str, Any], names: ClassNames, expires: datetime, **draw: Any) -> Item:
    """row : an inference.  draw : strategy, probability, queue and why of the item."""
    known = names.known(row)
    return Item(
        id=row["event_id"],
        image=row["image_key"] or row["capture_key"],
        prediction=class_name(known, row["prediction"]),
        confidence=row["confidence"],
        probabilities={class_name(known, i): p for i, p in enumerate(row["probabilities"])},
        lease_expires=expires,
        classes=names.choices(row),
        model=made_by(row),
        **draw,
    )


def made_by(row: Mapping[str, Any]) -> str:
    """The model version that made an inference, or why it is unknown."""
    return f"v{row['model']}" if row["model"] is not None else str(row["attribution"])
