"""Queries that find reviewed and unreviewed images, and the history of an image or a reviewer."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from scones_core.db.label_checks import SUBJECTS
from scones_core.db.review_orders import predicts, take
from scones_core.db.schema import decisions, reviewed_images
from scones_core.domain.review import Status


def found(connection: sa.Connection, text: str, limit: int) -> list[dict[str, Any]]:
    """Inferences and label checks, one per image, that a text names: by id, image, class, label, reviewer or note.

    Columns of the inference, and label, status and reviewer of the current decision with the prefix review_. Ids match
    from their start; images, classes, reviewers and notes anywhere, in any case. The newest first.
    """
    said = sa.or_(*(column.icontains(text, autoescape=True) for column in _TEXTS))
    decided = sa.select(decisions.c.image_sha256).where(said)
    named = ("label", "status", "reviewer")
    labels = [reviewed_images.c[name].label(f"review_{name}") for name in named]
    every: list[dict[str, Any]] = []
    for table in SUBJECTS:
        matches = sa.or_(
            table.c.event_id.startswith(text, autoescape=True),
            table.c.image_key.icontains(text, autoescape=True),
            predicts(connection, lambda name: text.casefold() in name.casefold(), table),
            table.c.image_sha256.in_(decided),
        )
        query = (
            sa.select(table, *labels)
            .outerjoin(reviewed_images, reviewed_images.c.image_sha256 == table.c.image_sha256)
            .where(matches)
            .order_by(table.c.time.desc(), table.c.event_id)
        )
        chosen: dict[str, dict[str, Any]] = {}
        take(connection, query, chosen, limit)
        every += chosen.values()
    newest: dict[str, dict[str, Any]] = {}
    for row in sorted(every, key=lambda row: row["time"], reverse=True):
        newest.setdefault(row["image_sha256"], row)
    return list(newest.values())[:limit]


_TEXTS = (decisions.c.reviewer, decisions.c.note, decisions.c.label)


def undecided_votes(connection: sa.Connection, limit: int) -> list[dict[str, Any]]:
    """Images that wait for an adjudicator, oldest decision first: image_sha256, event_id, status."""
    waiting = reviewed_images.c.status.in_([str(Status.UNSURE), str(Status.DISPUTED)])
    columns = (reviewed_images.c[name] for name in ("image_sha256", "event_id", "status"))
    return _rows(connection, sa.select(*columns).where(waiting).order_by(reviewed_images.c.time).limit(limit))


def inferences_of(connection: sa.Connection, image: str) -> list[dict[str, Any]]:
    """All inferences and label checks of an image, oldest first."""
    queries = (sa.select(table).where(table.c.image_sha256 == image) for table in SUBJECTS)
    found = [row for query in queries for row in _rows(connection, query)]
    return sorted(found, key=lambda row: (row["time"], row["event_id"]))


def decisions_of(
    connection: sa.Connection, *, image: str | None = None, reviewer: str | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """All decisions and undos on an image, or of a reviewer, newest first; `undone` if taken back later."""
    undoing = decisions.alias("undoing")
    undone = sa.exists().where(undoing.c.undoes == decisions.c.id)
    query = sa.select(decisions, sa.type_coerce(sa.case((undone, 1), else_=0), sa.Boolean).label("undone"))
    if image is not None:
        query = query.where(decisions.c.image_sha256 == image)
    if reviewer is not None:
        query = query.where(decisions.c.reviewer == reviewer)
    return _rows(connection, query.order_by(decisions.c.id.desc()).limit(limit))


def reviewers(connection: sa.Connection) -> Sequence[str]:
    """Everybody who has decided."""
    return connection.scalars(sa.select(decisions.c.reviewer).distinct().order_by(decisions.c.reviewer)).all()


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]
