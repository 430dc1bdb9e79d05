"""The current label of an image, derived from the decisions on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scones_core.db import reviews as table
from scones_core.domain.review import Decision, Status, in_words, standing, status_of
from scones_core.services.classification import class_name
from scones_core.services.review_items import ClassNames


@dataclass(frozen=True)
class Recorded:
    """The current decision; `revision` counts all decisions on the image."""

    id: str
    label: str | None
    revision: int
    status: Status


def fold(connection: sa.Connection, row: Mapping[str, Any], names: ClassNames) -> Recorded:
    """Update the current label from the decisions, and return it."""
    image, known = row["image_sha256"], names.known(row)
    decision = standing(table.of_image(connection, image))
    status = status_of(decision, class_name(known, row["prediction"]) if known else None)
    table.set_standing(connection, image, _standing_row(decision, status) if decision else None)
    label = in_words(decision.label, names.choices(row)) if decision else None
    return Recorded(row["event_id"], label, table.revision(connection, image), status)


def _standing_row(decision: Decision, status: Status) -> dict[str, Any]:
    return {
        "event_id": decision.event_id,
        "decision": decision.id,
        "label": decision.label,
        "status": str(status),
        "reviewer": decision.reviewer,
        "time": decision.time,
    }
