"""Queries on audits and their drawn inferences."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from scones_core.db.evidence_schema import audit_extensions, audit_items, audits
from scones_core.db.schema import decisions, inferences, reviewed_images, unreadable_images
from scones_core.domain.attribution import Attribution

Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]


def population(
    connection: sa.Connection, endpoint: str, model: int, since: datetime | None, until: datetime
) -> list[tuple[str, float, int]]:
    """(event id, confidence, prediction) of the inferences attributed to a model at an endpoint, oldest first."""
    table = inferences.c
    query = sa.select(table.event_id, table.confidence, table.prediction).where(_made(endpoint, model, since, until))
    return list(connection.execute(query.order_by(table.time, table.event_id)))


def confidences(
    connection: sa.Connection, endpoint: str, model: int, since: datetime | None, until: datetime
) -> Numbers:
    """Confidences of the same, in no order, shape (n,)."""
    query = sa.select(inferences.c.confidence).where(_made(endpoint, model, since, until))
    return np.fromiter(connection.scalars(query), float)


def _made(endpoint: str, model: int, since: datetime | None, until: datetime) -> sa.ColumnElement[bool]:
    table = inferences.c
    made = (table.model == model, table.endpoint == endpoint, table.attribution == str(Attribution.MODEL))
    return sa.and_(*made, table.time <= until, *([table.time >= since] if since else []))


def add(connection: sa.Connection, values: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> int:
    """Insert an audit; returns its id. items : event_id, row, probability, in the order of review."""
    id = int(connection.scalar(sa.insert(audits).values(dict(values)).returning(audits.c.id)) or 0)
    _add_items(connection, id, items, start=1)
    return id


def extend(
    connection: sa.Connection, audit: int, values: Mapping[str, Any], items: Sequence[Mapping[str, Any]], drawn: int
) -> None:
    """Add a draw to an audit of which so many are drawn already.  items : as for `add`."""
    number = sa.select(sa.func.count() + 1).where(audit_extensions.c.audit == audit).scalar_subquery()
    connection.execute(sa.insert(audit_extensions).values(audit=audit, number=number, **values))
    _add_items(connection, audit, items, start=drawn + 1)


def _add_items(connection: sa.Connection, audit: int, items: Sequence[Mapping[str, Any]], *, start: int) -> None:
    rows = [{"audit": audit, "position": number, **item} for number, item in enumerate(items, start)]
    connection.execute(sa.insert(audit_items), rows)


def extensions(connection: sa.Connection, audit: int) -> list[dict[str, Any]]:
    """In order."""
    query = sa.select(audit_extensions).where(audit_extensions.c.audit == audit).order_by(audit_extensions.c.number)
    return [dict(row) for row in connection.execute(query).mappings()]


def listed(connection: sa.Connection, model: int | None = None) -> list[dict[str, Any]]:
    """All audits, or those of a model, oldest first."""
    query = sa.select(audits).order_by(audits.c.id)
    if model is not None:
        query = query.where(audits.c.model == model)
    return [dict(row) for row in connection.execute(query).mappings()]


def answers(connection: sa.Connection, audit: Mapping[str, Any]) -> list[sa.Row[Any]]:
    """Rows (row, probability, label, decided) of an audit, in the order of review.

    label : in force, None if there is none.  decided : there is one, or the image was skipped in this audit's queue, or
    is unreadable.
    """
    image, item = inferences.c.image_sha256, audit_items.c
    undoing = decisions.alias("undoing")
    vote = decisions.alias("vote")
    skipped = (
        sa.exists()
        .where(vote.c.queue == audit["queue"], vote.c.image_sha256 == image, vote.c.action != "undo")
        .where(~sa.exists().where(undoing.c.undoes == vote.c.id))
    )
    gone = sa.exists().where(unreadable_images.c.image_sha256 == image)
    label = reviewed_images.c.label
    query = (
        sa.select(item.row, item.probability, label, sa.or_(label.is_not(None), skipped, gone).label("decided"))
        .join(inferences, inferences.c.event_id == item.event_id)
        .outerjoin(reviewed_images, reviewed_images.c.image_sha256 == image)
        .where(item.audit == audit["id"])
        .order_by(item.position)
    )
    return list(connection.execute(query))
