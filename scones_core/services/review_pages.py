"""Decisions on many images at once: the pages of the grid."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scones_core import logs
from scones_core.bounded_map import bounded_map
from scones_core.db import reviews as table
from scones_core.domain.review import is_label
from scones_core.errors import SconesError
from scones_core.services import capture, review
from scones_core.services.app import App
from scones_core.services.review import NewDecision
from scones_core.services.review_items import ClassNames, checked_label
from scones_core.services.standing_labels import fold


@logs.use_case
def decide_page(
    app: App, answers: Sequence[NewDecision], reviewer: str, *, key: str, queue: int | None = None
) -> dict[str, str]:
    """Record the decisions of a page in one transaction; id → reason, of those that were not recorded.

    Each decision is what `review.decide` records. key : idempotency key of the page; reusing it records nothing.
    Raises BadInput without a reviewer, Unavailable.
    """
    review.check_reviewer(reviewer)
    names, refused = ClassNames(app), dict[str, str]()
    ready = []
    prepared = bounded_map(lambda answer: _prepared(app, answer, names), answers, app.backend.objects.at_once)
    for answer, found in zip(answers, prepared, strict=True):
        if isinstance(found, SconesError):
            refused[answer.id] = str(found)
        else:
            ready.append(found)
    with app.db.write() as connection:
        for row, answer, stored in ready:
            own = f"{key}:{answer.id}"
            if table.by_idempotency_key(connection, own) is not None:
                continue
            try:
                review.record(connection, row, names, answer, reviewer, key=own, queue=queue, stored=stored)
            except SconesError as error:
                refused[answer.id] = str(error)
            else:
                fold(connection, row, names)
    return refused


def _prepared(
    app: App, answer: NewDecision, names: ClassNames
) -> tuple[Mapping[str, Any], NewDecision, str | None] | SconesError:
    """The inference, the parsed answer, and the key of the image's copy."""
    try:
        row = capture.inference(app, answer.id)
        parsed = replace(answer, label=checked_label(answer.label, names.choices(row)))
        return row, parsed, capture.stored_image(app, answer.id) if is_label(parsed.label) else None
    except SconesError as error:
        return error


def undo_page(app: App, ids: Sequence[str], reviewer: str, *, key: str) -> None:
    """Take back the reviewer's last decision on each of these images. Raises Conflict if there is none on one."""
    for id in ids:
        review.undo(app, reviewer, id=id, key=f"{key}:{id}")


def leave(app: App, ids: Sequence[str], reviewer: str) -> None:
    """End the reviewer's own leases on these images, which stay to be reviewed."""
    images = [capture.inference(app, id)["image_sha256"] for id in ids]
    with app.db.write() as connection:
        for image in images:
            held = table.lease_of(connection, image)
            if held and held.reviewer == reviewer:
                table.release(connection, image)
