"""Queries on captured inferences."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from scones_core.db.schema import EPOCH, capture_files, inferences, quarantine
from scones_core.domain.models import TRIAL_VARIANT

CHUNK = 500  # well under SQLite's limit of bound parameters


def unread(connection: sa.Connection, files: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of (key, version), those that have not been read in this version."""
    known: dict[str, str] = {}
    for start in range(0, len(files), CHUNK):
        keys = [key for key, _ in files[start : start + CHUNK]]
        query = sa.select(capture_files.c.key, capture_files.c.version).where(capture_files.c.key.in_(keys))
        known.update(dict(connection.execute(query).all()))
    return [(key, version) for key, version in files if known.get(key) != version]


def add(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> int:
    """Insert the inferences whose event id is new; returns how many."""
    known: set[str] = set()
    for start in range(0, len(rows), CHUNK):
        ids = [row["event_id"] for row in rows[start : start + CHUNK]]
        known.update(connection.scalars(sa.select(inferences.c.event_id).where(inferences.c.event_id.in_(ids))))
    fresh = {row["event_id"]: row for row in reversed(rows) if row["event_id"] not in known}
    if fresh:
        connection.execute(sa.insert(inferences), list(fresh.values()))
    return len(fresh)


def mark_read(connection: sa.Connection, files: Sequence[tuple[str, str]], rejected: Sequence[dict[str, Any]]) -> None:
    """Note capture files as read, and the lines of them that were not inferences; a file may be named twice."""
    now, keys = datetime.now(UTC), [{"file": key} for key, _ in files]
    if keys:
        connection.execute(sa.delete(capture_files).where(capture_files.c.key == sa.bindparam("file")), keys)
        connection.execute(sa.delete(quarantine).where(quarantine.c.capture_key == sa.bindparam("file")), keys)
        rows = [{"key": key, "version": version, "read_at": now} for key, version in dict(files).items()]
        connection.execute(sa.insert(capture_files), rows)
    lines = {(row["capture_key"], row["capture_line"]): row for row in rejected}
    if lines:
        connection.execute(sa.insert(quarantine), list(lines.values()))


def quarantined(connection: sa.Connection) -> list[dict[str, Any]]:
    """Capture lines that could not be read, with the reason."""
    return [dict(row) for row in connection.execute(sa.select(quarantine)).mappings()]


def count(connection: sa.Connection) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(inferences)) or 0)


def newest(connection: sa.Connection, *, but: str) -> datetime | None:
    """When the newest inference was made, of any endpoint but one."""
    query = sa.select(inferences.c.time).where(inferences.c.endpoint != but).order_by(inferences.c.time.desc())
    found: datetime | None = connection.scalar(query.limit(1))
    return found


def frame(connection: sa.Connection, since: datetime | None = None) -> pd.DataFrame:
    """Columns time (UTC), event_id, prediction, confidence, trial (who answered was on trial), in the order of time."""
    table = inferences.c
    time = sa.type_coerce(table.time, sa.BigInteger).label("time")
    trial = sa.type_coerce(table.variant == TRIAL_VARIANT, sa.Integer).label("trial")
    query = sa.select(time, table.event_id, table.prediction, table.confidence, trial)
    if since:
        query = query.where(table.time >= since)
    rows = connection.execute(query.order_by(table.time, table.event_id)).all()
    # Column by column: pandas takes ten times as long over rows.
    times, ids, predictions, confidences, trials = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return pd.DataFrame(
        {
            "time": pd.Timestamp(EPOCH) + pd.to_timedelta(np.array(times, dtype="int64"), unit="us"),
            "event_id": pd.Series(ids, dtype=object),
            "prediction": np.array(predictions, dtype="int64"),
            "confidence": np.array(confidences, dtype="float64"),
            "trial": np.array(trials, dtype="bool"),
        }
    )


def by_variant(
    connection: sa.Connection, endpoint: str, since: datetime | None, threshold: float
) -> list[tuple[str, int, int, float]]:
    """(variant, inferences, those at or below the threshold, mean confidence) of an endpoint, by the variant's name."""
    table = inferences.c
    low = sa.func.sum(sa.case((table.confidence <= threshold, 1), else_=0))
    query = sa.select(table.variant, sa.func.count(), low, sa.func.avg(table.confidence))
    query = query.where(table.endpoint == endpoint).group_by(table.variant).order_by(table.variant)
    if since:
        query = query.where(table.time >= since)
    return [(name, int(count), int(of_low), float(mean)) for name, count, of_low, mean in connection.execute(query)]


def get(connection: sa.Connection, event_id: str) -> dict[str, Any] | None:
    row = connection.execute(sa.select(inferences).where(inferences.c.event_id == event_id)).mappings().first()
    return dict(row) if row else None
