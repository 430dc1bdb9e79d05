"""Queries that find reviewed and unreviewed images, and the history of an image or a reviewer."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from scones_core.db.review_orders import predicts
from scones_core.db.schema import decisions, inferences, reviewed_images


def found(connection: sa.Connection, text: str, limit: int) -> list[dict[str, Any]]:
    """Inferences, one per image, that a text names: by id, image, predicted class, label, reviewer or note.

    Columns of the inference, and label, status and reviewer of the current decision with the prefix review_. Ids match
    from their start; images, classes, reviewers and notes anywhere, in any case. The newest first.
    """
    table = inferences.c
    said = sa.or_(*(column.icontains(text, autoescape=True) for column in _TEXTS))
    decided = sa.select(decisions.c.image_sha256).where(said)
    matches = sa.or_(
        table.event_id.startswith(text, autoescape=True),
        table.image_key.icontains(text, autoescape=True),
        predicts(connection, lambda name: text.casefold() in name.casefold()),
        table.image_sha256.in_(decided),
    )
    labels = [
        c.label(f"review_{c.name}") for c in (reviewed_images.c[name] for name in ("label", "status", "reviewer"))
    ]
    query = (
        sa.select(inferences, *labels)
        .outerjoin(reviewed_images, reviewed_images.c.image_sha256 == table.image_sha256)
        .where(matches)
        .order_by(table.time.desc(), table.event_id)
    )
    chosen: dict[str, dict[str, Any]] = {}
    with connection.execute(query, execution_options={"yield_per": 100}) as rows:
        for row in rows.mappings():
            chosen.setdefault(row["image_sha256"], dict(row))
            if len(chosen) >= limit:
                break
    return list(chosen.values())


_TEXTS = (decisions.c.reviewer, decisions.c.note, decisions.c.label)


def inferences_of(connection: sa.Connection, image: str) -> list[dict[str, Any]]:
    """All inferences of an image, oldest first."""
    query = sa.select(inferences).where(inferences.c.image_sha256 == image)
    return _rows(connection, query.order_by(inferences.c.time, inferences.c.event_id))


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
