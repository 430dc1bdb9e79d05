"""Queries that find the image which a row of a label file names."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from scones_core.db.label_checks import SUBJECTS


def by_id(connection: sa.Connection, event_id: str) -> dict[str, Any] | None:
    return _newest(connection, lambda table: table.event_id == event_id)


def by_key(connection: sa.Connection, key: str) -> dict[str, Any] | None:
    """By the image's key, or by that of the capture file, if that holds one image only."""
    found = _newest(connection, lambda table: table.image_key == key)
    return found or _newest(connection, lambda table: table.capture_key == key, alone=True)


def by_sha256(connection: sa.Connection, digest: str) -> dict[str, Any] | None:
    """By the digest of the image's contents, or its beginning in hexadecimal digits."""
    return _newest(connection, lambda table: table.image_sha256.startswith(digest, autoescape=True), alone=True)


def _newest(
    connection: sa.Connection, condition: Callable[[Any], sa.ColumnElement[bool]], *, alone: bool = False
) -> dict[str, Any] | None:
    """The newest inference, else label check; None if there is none, or if, with `alone`, several images fit."""
    for table in SUBJECTS:
        query = sa.select(table).where(condition(table.c)).order_by(table.c.time.desc(), table.c.event_id).limit(100)
        rows = connection.execute(query).mappings().all()
        if rows:
            return None if alone and len({row["image_sha256"] for row in rows}) > 1 else dict(rows[0])
    return None
