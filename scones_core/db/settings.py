"""Settings changed at runtime; all changes are kept, the last one is valid."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from scones_core.db.schema import app_settings


def get(connection: sa.Connection, name: str) -> Any:
    """The current value, or None."""
    table = app_settings.c
    return connection.scalar(sa.select(table.value).where(table.name == name).order_by(table.id.desc()).limit(1))


def all_of(connection: sa.Connection) -> dict[str, Any]:
    """Name → current value."""
    newest = sa.select(sa.func.max(app_settings.c.id)).group_by(app_settings.c.name)
    query = sa.select(app_settings.c.name, app_settings.c.value).where(app_settings.c.id.in_(newest))
    return dict(connection.execute(query).all())


def put(connection: sa.Connection, name: str, value: Any, actor: str = "") -> None:
    row = {"name": name, "value": value, "time": datetime.now(UTC), "actor": actor}
    connection.execute(sa.insert(app_settings), row)


def history(connection: sa.Connection, name: str) -> list[tuple[Any, datetime, str]]:
    """(value, time, actor) of each change, newest first."""
    table = app_settings.c
    query = sa.select(table.value, table.time, table.actor).where(table.name == name).order_by(table.id.desc())
    return list(connection.execute(query))
