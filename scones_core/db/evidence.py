"""Queries for the evidence report."""

from datetime import datetime

import sqlalchemy as sa

from scones_core.db.schema import decisions, inferences


def newest(connection: sa.Connection) -> datetime | None:
    """Time of the newest inference or decision; None if there is neither."""
    times = [connection.scalar(sa.select(sa.func.max(table.c.time))) for table in (inferences, decisions)]
    return max((time for time in times if time), default=None)
