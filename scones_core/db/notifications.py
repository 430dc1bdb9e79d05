"""Queries on the messages that were sent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scones_core.db.schema import notifications


def last_told(connection: sa.Connection) -> datetime | None:
    """Time up to which failed executions have been reported."""
    query = sa.select(notifications.c.up_to).order_by(notifications.c.id.desc()).limit(1)
    found: datetime | None = connection.scalar(query)
    return found


def last_time(connection: sa.Connection) -> datetime | None:
    """Time of the last message about failures."""
    table = notifications.c
    query = sa.select(table.time).where(table.executions > 0).order_by(table.id.desc()).limit(1)
    found: datetime | None = connection.scalar(query)
    return found


def add(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    return int(connection.scalar(sa.insert(notifications).values(values).returning(notifications.c.id)) or 0)


def set_failure(connection: sa.Connection, id: int, failure: str | None) -> None:
    connection.execute(sa.update(notifications).where(notifications.c.id == id).values(failure=failure))


def sent(connection: sa.Connection, limit: int) -> list[dict[str, Any]]:
    """Messages, newest first."""
    table = notifications
    query = sa.select(table).where(table.c.title != "").order_by(table.c.id.desc()).limit(limit)
    return [dict(row) for row in connection.execute(query).mappings()]
