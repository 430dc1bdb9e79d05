"""Queries that find the image which a row of a label file names."""

from typing import Any

import sqlalchemy as sa

from scones_core.db.schema import inferences


def by_id(connection: sa.Connection, event_id: str) -> dict[str, Any] | None:
    return _newest(connection, inferences.c.event_id == event_id)


def by_key(connection: sa.Connection, key: str) -> dict[str, Any] | None:
    """By the image's key, or by that of the capture file, if that holds one image only."""
    found = _newest(connection, inferences.c.image_key == key)
    return found or _newest(connection, inferences.c.capture_key == key, alone=True)


def by_sha256(connection: sa.Connection, digest: str) -> dict[str, Any] | None:
    """By the digest of the image's contents, or its beginning in hexadecimal digits."""
    return _newest(connection, inferences.c.image_sha256.startswith(digest, autoescape=True), alone=True)


def _newest(
    connection: sa.Connection, condition: sa.ColumnElement[bool], *, alone: bool = False
) -> dict[str, Any] | None:
    """The newest inference; None if there is none, or, with `alone`, if they are of several images."""
    query = sa.select(inferences).where(condition).order_by(inferences.c.time.desc(), inferences.c.event_id).limit(100)
    rows = connection.execute(query).mappings().all()
    if not rows or (alone and len({row["image_sha256"] for row in rows}) > 1):
        return None
    return dict(rows[0])
