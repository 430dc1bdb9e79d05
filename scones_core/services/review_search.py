"""Finding images to review or to correct, and the whole history of an image and of a reviewer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scones_core.db import review_search as table
from scones_core.domain.review import Status, in_words
from scones_core.errors import BadInput
from scones_core.services import capture
from scones_core.services.app import App
from scones_core.services.classification import class_name
from scones_core.services.review_items import ClassNames, made_by

MOST = 60  # images of a search


@dataclass(frozen=True)
class FoundImage:
    """An image that a search found.  label, reviewer : of the current decision; None without one."""

    id: str
    image: str
    prediction: str
    confidence: float
    model: str
    label: str | None
    status: Status
    reviewer: str | None
    time: datetime


@dataclass(frozen=True)
class PastDecision:
    """One entry of a history.  action : label, skip or undo.  undone : taken back later.  probability : of the draw."""

    id: str
    action: str
    label: str | None
    reviewer: str
    note: str
    time: datetime
    undone: bool
    strategy: str | None
    probability: float | None
    queue: int | None
    model: str


@dataclass(frozen=True)
class PastInference:
    id: str
    time: datetime
    model: str
    prediction: str
    confidence: float


@dataclass(frozen=True)
class ImageHistory:
    """All inferences of one image, and all decisions on it, oldest first."""

    inferences: list[PastInference]
    decisions: list[PastDecision]


def find(app: App, text: str, *, limit: int = MOST) -> list[FoundImage]:
    """Images by the start of an inference's id, or a part of image name, class, reviewer or note; newest first.

    Raises BadInput for an empty text.
    """
    wanted = text.strip()
    if not wanted:
        raise BadInput("Nothing to search for: enter an id, a class, a reviewer or a part of a note.")
    names = ClassNames(app)
    with app.db.read() as connection:
        rows = table.found(connection, wanted, limit)
    return [_found(row, names) for row in rows]


def _found(row: Mapping[str, Any], names: ClassNames) -> FoundImage:
    return FoundImage(
        id=row["event_id"],
        image=row["image_key"] or row["capture_key"],
        prediction=class_name(names.known(row), row["prediction"]),
        confidence=row["confidence"],
        model=made_by(row),
        label=in_words(row["review_label"], names.choices(row)),
        status=Status(row["review_status"] or Status.PENDING),
        reviewer=row["review_reviewer"],
        time=row["time"],
    )


def image_history(app: App, id: str) -> ImageHistory:
    """The history of the image behind an inference. Raises NotFound."""
    image, names = capture.inference(app, id)["image_sha256"], ClassNames(app)
    with app.db.read() as connection:
        seen = table.inferences_of(connection, image)
        decided = table.decisions_of(connection, image=image)
    inferences = [
        PastInference(
            row["event_id"],
            row["time"],
            made_by(row),
            class_name(names.known(row), row["prediction"]),
            row["confidence"],
        )
        for row in seen
    ]
    return ImageHistory(inferences, [_past(row) for row in reversed(decided)])


def reviewer_history(app: App, reviewer: str, *, limit: int | None = None) -> list[PastDecision]:
    """A reviewer's decisions and undos, newest first."""
    with app.db.read() as connection:
        return [_past(row) for row in table.decisions_of(connection, reviewer=reviewer, limit=limit)]


def reviewers(app: App) -> list[str]:
    """Everybody who has decided, by name."""
    with app.db.read() as connection:
        return list(table.reviewers(connection))


def spelling(app: App, name: str) -> str:
    """The name as it was written on its first decision: “Ann” and “ann” are one reviewer."""
    known = {one.casefold(): one for one in reviewers(app)}
    return known.get(name.casefold(), name)


def _past(row: Mapping[str, Any]) -> PastDecision:
    return PastDecision(
        id=row["event_id"],
        action=row["action"],
        label=in_words(row["label"], row["classes"] or ()),
        reviewer=row["reviewer"],
        note=row["note"],
        time=row["time"],
        undone=bool(row["undone"]),
        strategy=row["strategy"],
        probability=row["probability"],
        queue=row["queue"],
        model="" if row["model"] is None else f"v{row['model']}",
    )
