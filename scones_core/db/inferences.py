"""Queries on captured inferences."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from scones_core.db.schema import EPOCH, capture_files, inferences, quarantine
from scones_core.db.schema import class_lists as class_list_table
from scones_core.domain.attribution import Attribution, Maker
from scones_core.domain.models import TRIAL_VARIANT, number_of

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 500  # well under SQLite's limit of bound parameters


def unread(connection: sa.Connection, files: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of the (key, version) pairs that have not been read yet."""
    known: dict[str, str] = {}
    for start in range(0, len(files), CHUNK):
        keys = [key for key, _ in files[start : start + CHUNK]]
        query = sa.select(capture_files.c.key, capture_files.c.version).where(capture_files.c.key.in_(keys))
        known.update(dict(connection.execute(query).all()))
    return [(key, version) for key, version in files if known.get(key) != version]


def add(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> int:
    """Insert the inferences whose event id is new; returns their number.

    A known imported one without class names gets the new names.
    """
    known: set[str] = set()
    for start in range(0, len(rows), CHUNK):
        ids = [row["event_id"] for row in rows[start : start + CHUNK]]
        known.update(connection.scalars(sa.select(inferences.c.event_id).where(inferences.c.event_id.in_(ids))))
    fresh = {row["event_id"]: row for row in reversed(rows) if row["event_id"] not in known}
    if fresh:
        connection.execute(sa.insert(inferences), list(fresh.values()))
    named = [row for row in rows if row["event_id"] in known and row["class_list"] and row["attribution"] == "imported"]
    _name_later(connection, named)
    return len(fresh)


def _name_later(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        table = inferences.c
        unnamed = sa.and_(table.attribution == str(Attribution.IMPORTED), table.class_list.is_(None))
        query = sa.update(inferences).where(table.event_id == sa.bindparam("id"), unnamed)
        values = [{"id": row["event_id"], "names": row["class_list"]} for row in rows]
        connection.execute(query.values(class_list=sa.bindparam("names")), values)


def name_imported(connection: sa.Connection, class_list: int, classes: int) -> int:
    """Name the classes of unnamed imported inferences with as many probabilities; returns their number."""
    table = inferences.c
    unnamed = sa.and_(table.attribution == str(Attribution.IMPORTED), table.class_list.is_(None))
    fits = sa.func.json_array_length(table.probabilities) == classes
    return int(connection.execute(sa.update(inferences).where(unnamed, fits).values(class_list=class_list)).rowcount)


def unattributed(connection: sa.Connection, limit: int) -> list[dict[str, Any]]:
    """Inferences that older app versions stored without attribution."""
    table = inferences.c
    query = sa.select(table.event_id, table.time, table.endpoint, table.variant, table.probabilities)
    return [dict(row) for row in connection.execute(query.where(table.attribution.is_(None)).limit(limit)).mappings()]


def attribute(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    """rows : {id, maker, names, how}."""
    query = sa.update(inferences).where(inferences.c.event_id == sa.bindparam("id"))
    values: dict[str, Any] = {
        "model": sa.bindparam("maker"),
        "class_list": sa.bindparam("names"),
        "attribution": sa.bindparam("how"),
    }
    connection.execute(query.values(values), list(rows))


def mark_read(connection: sa.Connection, files: Sequence[tuple[str, str]], rejected: Sequence[dict[str, Any]]) -> None:
    """Record capture files as read, and their unreadable lines; a file may occur twice."""
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


def counted() -> sa.Select[Any]:
    """Counts all inferences."""
    return sa.select(sa.func.count()).select_from(inferences)


def count(connection: sa.Connection) -> int:
    return int(connection.scalar(counted()) or 0)


def newest(connection: sa.Connection, until: datetime) -> datetime | None:
    """Time of the newest inference that was not imported; ignores those after `until`, from a clock that was ahead."""
    query = sa.select(inferences.c.time).where(~_imported(), inferences.c.time <= until)
    query = query.order_by(inferences.c.time.desc())
    found: datetime | None = connection.scalar(query.limit(1))
    return found


def _imported() -> sa.ColumnElement[bool]:
    return sa.func.coalesce(inferences.c.attribution, "") == str(Attribution.IMPORTED)


def made_by(model: str | None) -> sa.ColumnElement[bool]:
    """The condition for inferences of one model version ("v3"), of an attribution ("imported", …), or of all (None)."""
    if model is None:
        return sa.true()
    number = number_of(model)
    if number is not None:
        return inferences.c.model == number
    return sa.and_(inferences.c.model.is_(None), inferences.c.attribution == model)


def makers(connection: sa.Connection) -> list[Maker]:
    """Makers of the captured inferences, with counts; the newest model first, then those without a model."""
    table = inferences.c
    query = sa.select(table.model, table.attribution, table.class_list.is_(None), sa.func.count())
    rows = connection.execute(query.group_by(table.model, table.attribution, table.class_list.is_(None)))
    found: dict[str, Maker] = {}
    for model, attribution, unnamed, count in rows:
        name = f"v{model}" if model is not None else str(attribution)
        before = found.get(name, Maker(name, 0, 0))
        found[name] = Maker(name, before.inferences + count, before.unnamed + count * bool(unnamed))
    return sorted(found.values(), key=lambda maker: (-(number_of(maker.name) or 0), maker.name))


def class_lists(connection: sa.Connection) -> dict[int, tuple[str, ...]]:
    """Id → class names in class-index order."""
    rows = connection.execute(sa.select(class_list_table.c.id, class_list_table.c.names))
    return {id: tuple(json.loads(names)) for id, names in rows}


def class_list_ids(connection: sa.Connection, lists: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """The ids of lists of class names, each kept once."""
    known = {names: id for id, names in class_lists(connection).items()}
    for names in set(lists) - set(known):
        query = sa.insert(class_list_table).values(names=json.dumps(names)).returning(class_list_table.c.id)
        known[names] = int(connection.scalar(query) or 0)
    return known


def frame(connection: sa.Connection, since: datetime | None = None, *, model: str | None = None) -> "pd.DataFrame":
    """Columns time (UTC), event_id, prediction, confidence, trial (who answered was on trial), class_list (0 where
    the class names are not known), in the order of time.  model : as `made_by` takes it."""
    table = inferences.c
    time = sa.type_coerce(table.time, sa.BigInteger).label("time")
    trial = sa.type_coerce(table.variant == TRIAL_VARIANT, sa.Integer).label("trial")
    names = sa.func.coalesce(table.class_list, 0)
    query = sa.select(time, table.event_id, table.prediction, table.confidence, trial, names).where(made_by(model))
    if since:
        query = query.where(table.time >= since)
    rows = connection.execute(query.order_by(table.time, table.event_id)).all()
    # Column by column: pandas takes ten times as long over rows.
    times, ids, predictions, confidences, trials, lists = zip(*rows, strict=True) if rows else ((),) * 6
    import pandas as pd  # a quarter of a second, which the first page does without

    return pd.DataFrame(
        {
            "time": pd.Timestamp(EPOCH) + pd.to_timedelta(np.array(times, dtype="int64"), unit="us"),
            "event_id": pd.Series(ids, dtype=object),
            "prediction": np.array(predictions, dtype="int64"),
            "confidence": np.array(confidences, dtype="float64"),
            "trial": np.array(trials, dtype="bool"),
            "class_list": np.array(lists, dtype="int64"),
        }
    )


def captured_rows(
    connection: sa.Connection, since: datetime | None = None, *, model: str | None = None
) -> Iterator[sa.Row[Any]]:
    """The inferences that `frame` counts, with image and maker, one by one."""
    columns = "time image_key image_sha256 class_list prediction confidence model attribution endpoint event_id"
    query = sa.select(*(inferences.c[name] for name in columns.split())).where(made_by(model))
    if since:
        query = query.where(inferences.c.time >= since)
    yield from connection.execute(query.order_by(inferences.c.time, inferences.c.event_id))


def confidence_sums(connection: sa.Connection, endpoint: str, model: int, since: datetime) -> tuple[int, float, float]:
    """(inferences, sum of confidences c, sum of c (1 - c)) attributed to a model at an endpoint."""
    table = inferences.c
    sums = (sa.func.sum(table.confidence), sa.func.sum(table.confidence * (1 - table.confidence)))
    query = sa.select(sa.func.count(), *sums).where(table.time >= since, table.model == model)
    query = query.where(table.endpoint == endpoint, table.attribution == str(Attribution.MODEL))
    count, confidences, variances = connection.execute(query).one()
    return int(count), float(confidences or 0), float(variances or 0)


def by_variant(
    connection: sa.Connection, endpoint: str, since: datetime | None, threshold: float
) -> list[tuple[str, int, int, float]]:
    """(variant, inferences, those at or below the threshold, mean confidence) of an endpoint, by the variant's name."""
    table = inferences.c
    low = sa.func.sum(sa.case((table.confidence <= threshold, 1), else_=0))
    query = sa.select(table.variant, sa.func.count(), low, sa.func.avg(table.confidence))
    query = query.where(table.endpoint == endpoint, ~_imported())
    query = query.group_by(table.variant).order_by(table.variant)
    if since:
        query = query.where(table.time >= since)
    return [(name, int(count), int(of_low), float(mean)) for name, count, of_low, mean in connection.execute(query)]


def get(connection: sa.Connection, event_id: str) -> dict[str, Any] | None:
    row = connection.execute(sa.select(inferences).where(inferences.c.event_id == event_id)).mappings().first()
    return dict(row) if row else None
