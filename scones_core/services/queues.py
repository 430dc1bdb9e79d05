"""Review queues: named lists of captured inferences to review, each with the reason why it is there."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from scones_core import logs
from scones_core.db import queues as table
from scones_core.domain.review import Strategy
from scones_core.errors import BadInput, NotFound
from scones_core.services.app import App

LONGEST_NAME = 80


@dataclass(frozen=True)
class QueueEntry:
    """An inference to put into a queue, and the reason shown to its reviewer.

    probability : with which it was drawn, in (0, 1]; None if it was ranked or chosen.
    """

    event_id: str
    why: str
    probability: float | None = None


@dataclass(frozen=True)
class QueueProgress:
    """size : distinct readable images.  decided : those that need no further decision in this queue."""

    size: int
    decided: int


@dataclass(frozen=True)
class ReviewQueue:
    """filter : from which inferences it was made, name of the condition → value.

    reviewers : how many decide on each image.  again : images that have a label are asked again.
    """

    id: int
    name: str
    strategy: Strategy
    created: datetime
    created_by: str
    filter: dict[str, Any]
    reviewers: int
    again: bool
    progress: QueueProgress


@logs.use_case
def create(
    app: App,
    name: str,
    entries: Sequence[QueueEntry],
    *,
    strategy: Strategy,
    by: str,
    filter: Mapping[str, Any] | None = None,
    reviewers: int = 1,
    again: bool = False,
) -> int:
    """Create a queue with these entries, in this order; returns its id.

    Entries of the same image are asked once. An image that has a label already counts as decided, unless `again`.
    Raises BadInput (no name, no entries, an invalid probability or number of reviewers), NotFound.
    """
    _check(name, entries, by, reviewers)
    values = {
        "name": name.strip(),
        "strategy": str(strategy),
        "created": datetime.now(UTC),
        "created_by": by,
        "filter": dict(filter or {}),
        "reviewers": reviewers,
        "again": again,
    }
    with app.db.write() as connection:
        if unknown := table.unknown(connection, strategy, [entry.event_id for entry in entries]):
            raise NotFound(f"No captured inference “{unknown[0]}”: choose from the captured inferences.")
        return table.add(connection, values, map(asdict, entries))


def _check(name: str, entries: Sequence[QueueEntry], by: str, reviewers: int) -> None:
    if not 0 < len(name.strip()) <= LONGEST_NAME:
        raise BadInput(f"The queue's name is missing or too long: use up to {LONGEST_NAME} characters.")
    if not by.strip():
        raise BadInput("The name of the queue's owner is missing: enter a name.")
    if not entries:
        raise BadInput("The queue would be empty: choose at least one image.")
    if reviewers < 1:
        raise BadInput("The number of reviewers per image must be at least 1.")
    for entry in entries:
        if entry.probability is not None and not 0 < entry.probability <= 1:
            raise BadInput(f"The probability of “{entry.event_id}” is {entry.probability:g}: it must be in (0, 1].")


def get(app: App, id: int) -> ReviewQueue:
    """One queue. Raises NotFound."""
    with app.db.read() as connection:
        return _queue(connection, row(connection, id))


def progress(app: App, id: int) -> QueueProgress:
    """Size of a queue and its decided images. Raises NotFound."""
    return get(app, id).progress


def queues(app: App) -> list[ReviewQueue]:
    """All queues, newest first."""
    with app.db.read() as connection:
        return [_queue(connection, found) for found in table.listed(connection)]


def row(connection: sa.Connection, id: int) -> dict[str, Any]:
    """A queue as recorded. Raises NotFound."""
    found = table.get(connection, id)
    if found is None:
        raise NotFound(f"No review queue {id}: choose one of the queues on Review.")
    return found


def _queue(connection: sa.Connection, found: dict[str, Any]) -> ReviewQueue:
    done = QueueProgress(*table.progress(connection, found))
    return ReviewQueue(**{**found, "strategy": Strategy(found["strategy"]), "progress": done})
