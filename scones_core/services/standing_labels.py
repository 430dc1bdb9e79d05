"""The current label of an image, derived from the decisions on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scones_core.db import queues
from scones_core.db import reviews as table
from scones_core.domain.review import Status, Strategy, in_words, is_label, status_of
from scones_core.domain.votes import Standing, standing
from scones_core.errors import Conflict
from scones_core.services.classification import class_name
from scones_core.services.review_items import ClassNames


@dataclass(frozen=True)
class Recorded:
    """The current decision; `revision` counts all decisions on the image."""

    id: str
    label: str | None
    revision: int
    status: Status


def fold(connection: sa.Connection, row: Mapping[str, Any], names: ClassNames, *, by: str | None = None) -> Recorded:
    """Update the current label from the decisions, and return it.

    by : who has just decided; if that was on a gold image, their answer is returned, not the label they must not see.
    """
    image, known = row["image_sha256"], names.known(row)
    decisions = table.of_image(connection, image)
    found = standing(decisions, queues.voters(connection, {one.queue for one in decisions if one.queue is not None}))
    prediction = class_name(known, row["prediction"]) if known else None
    status = _status(found, prediction)
    table.set_standing(connection, image, _standing_row(found, status) if found else None)
    own = next((one for one in reversed(decisions) if not one.undone and one.reviewer == by), None)
    if own is not None and own.strategy == Strategy.GOLD:
        found, status = Standing(own, own.label), status_of(own, prediction)
    label = in_words(found.label, names.choices(row)) if found else None
    return Recorded(row["event_id"], label, table.revision(connection, image), status)


def _status(found: Standing | None, prediction: str | None) -> Status:
    if found is not None and found.state is not None:
        return found.state
    return status_of(found.decision if found else None, prediction)


def _standing_row(found: Standing, status: Status) -> dict[str, Any]:
    return {
        "event_id": found.decision.event_id,
        "decision": found.decision.id,
        "label": found.label if is_label(found.label) else None,
        "status": str(status),
        "reviewer": found.decision.reviewer,
        "time": found.decision.time,
    }


def check_revision(connection: sa.Connection, image: str, reviewer: str, revision: int) -> None:
    """Raises Conflict if another reviewer has decided on an image after its first `revision` decisions."""
    later = table.entries(connection, image)[revision:]
    others = [row for row in later if row["reviewer"] != reviewer]
    if others:
        last = others[-1]
        said = f"said “{in_words(last['label']) or 'skip'}”" if last["action"] != "undo" else "taken a decision back"
        raise Conflict(f"{last['reviewer']} has {said} on this image meanwhile: look at it again, or leave it so.")
