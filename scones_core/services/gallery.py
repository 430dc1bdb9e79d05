"""The images behind captured inferences, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scones_core.db import inferences as table
from scones_core.db import reviews
from scones_core.domain.inference_filter import InferenceFilter, class_name
from scones_core.services import monitoring
from scones_core.services.app import App
from scones_core.services.counting import count

PER_PAGE = 40


@dataclass(frozen=True)
class Shown:
    """An inference with its image. label : of a person, as stored; None without one.  model : as `Maker.name`."""

    event_id: str
    time: datetime
    prediction: str
    confidence: float
    low: bool
    model: str
    image_sha256: str
    label: str | None


@dataclass(frozen=True)
class Page:
    """Some of the inferences that a filter leaves, newest first. number : from 1.  of : pages; at least 1."""

    number: int
    of: int
    total: int
    images: Sequence[Shown]


def page(app: App, which: InferenceFilter, number: int = 1, *, at: float | None = None, size: int = PER_PAGE) -> Page:
    """One page of the inferences that a filter leaves, newest first; their counts say where it begins.

    at : the threshold; the current one by default.
    """
    at = monitoring.threshold(app) if at is None else at
    with app.db.read() as connection:
        found = count(connection, which, at)
        conditions, rest = found.search((number - 1) * size, size)
        rows = list(table.rows(connection, conditions, skip=rest, limit=size))
        labels = reviews.labels(connection, [row.image_sha256 for row in rows])
    shown = [
        Shown(
            event_id=row.event_id,
            time=row.time,
            prediction=class_name(found.lists.get(row.class_list or 0, ()), row.prediction),
            confidence=row.confidence,
            low=row.confidence <= at,
            model=f"v{row.model}" if row.model is not None else str(row.attribution),
            image_sha256=row.image_sha256,
            label=labels.get(row.image_sha256),
        )
        for row in rows
    ]
    return Page(number, max(1, -(-found.cells.total // size)), found.cells.total, shown)


def event_ids(app: App, which: InferenceFilter, limit: int) -> list[str]:
    """The newest inferences that a filter leaves, at most `limit`, one per image."""
    at = monitoring.threshold(app)
    with app.db.read() as connection:
        conditions = table.matching(which, table.class_lists(connection), at)
        rows = table.rows(connection, conditions, columns=("event_id", "image_sha256"))
        chosen: dict[str, str] = {}
        for row in rows:
            chosen.setdefault(row.image_sha256, row.event_id)
            if len(chosen) >= limit:
                break
    return list(chosen.values())
