"""Queries on captured inferences."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import msgspec
import sqlalchemy as sa

from scones_core.db import counts
from scones_core.db.counts import CHUNK as CHUNK  # of db.queues, too
from scones_core.db.schema import capture_files, inferences, quarantine
from scones_core.db.schema import class_lists as class_list_table
from scones_core.domain.attribution import Attribution
from scones_core.domain.inference_filter import InferenceFilter, named
from scones_core.domain.models import number_of


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
    known = _known(connection, [row["event_id"] for row in rows])
    fresh = {row["event_id"]: row for row in reversed(rows) if row["event_id"] not in known}
    if fresh:
        _insert(connection, list(fresh.values()))
        counts.change(connection, list(fresh.values()))
    named = [row for row in rows if row["event_id"] in known and row["class_list"] and row["attribution"] == "imported"]
    _name_later(connection, named)
    return len(fresh)


COLUMNS = list(inferences.c.keys())


def _among(connection: sa.Connection, ids: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """End of a condition, and the ids as its one parameter: one per id takes several times as long as the search."""
    if connection.dialect.name == "sqlite":
        return "IN (SELECT value FROM json_each(:ids))", {"ids": msgspec.json.encode(ids).decode()}
    return "= ANY(:ids)", {"ids": list(ids)}


def _known(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    among, parameter = _among(connection, ids)
    return set(connection.scalars(sa.text(f"SELECT event_id FROM inferences WHERE event_id {among}"), parameter))


def _insert(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Handed to the driver as it takes them: SQLAlchemy prepares a row in twice the time that SQLite stores it."""
    compiled = sa.insert(inferences).compile(dialect=connection.dialect, column_keys=COLUMNS)
    order = compiled.positiontup or COLUMNS
    time, probabilities = order.index("time"), order.index("probabilities")

    def values(row: Mapping[str, Any]) -> tuple[Any, ...]:
        found = list(map(row.get, order))
        found[time] = counts.microseconds(row["time"])
        found[probabilities] = msgspec.json.encode(row["probabilities"]).decode()
        return tuple(found)

    every = list(map(values, rows))
    if not compiled.positiontup:
        connection.exec_driver_sql(str(compiled), [dict(zip(order, one, strict=True)) for one in every])
        return
    before, _, marks = str(compiled).rpartition("VALUES ")
    most = connection.dialect.insertmanyvalues_max_parameters // len(order)
    for start in range(0, len(every), most):  # as the engine does with all other rows
        some = every[start : start + most]
        connection.exec_driver_sql(f"{before}VALUES {', '.join([marks] * len(some))}", tuple(chain.from_iterable(some)))


def _unnamed() -> sa.ColumnElement[bool]:
    return sa.and_(inferences.c.attribution == str(Attribution.IMPORTED), inferences.c.class_list.is_(None))


def _name_later(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    names = {row["event_id"]: row["class_list"] for row in rows}
    counts.move(connection, names, lambda id: {"class_list": names[id]}, _unnamed())
    query = sa.update(inferences).where(inferences.c.event_id == sa.bindparam("id"), _unnamed())
    if rows:
        values = [{"id": id, "names": class_list} for id, class_list in names.items()]
        connection.execute(query.values(class_list=sa.bindparam("names")), values)


def name_imported(connection: sa.Connection, class_list: int, classes: int) -> int:
    """Name the classes of unnamed imported inferences with as many probabilities; returns their number."""
    which = sa.and_(_unnamed(), sa.func.json_array_length(inferences.c.probabilities) == classes)
    counts.move_all(connection, which, {"class_list": class_list})
    return int(connection.execute(sa.update(inferences).where(which).values(class_list=class_list)).rowcount)


def unattributed(connection: sa.Connection, limit: int) -> list[dict[str, Any]]:
    """Inferences that older app versions stored without attribution."""
    table = inferences.c
    query = sa.select(table.event_id, table.time, table.endpoint, table.variant, table.probabilities)
    return [dict(row) for row in connection.execute(query.where(table.attribution.is_(None)).limit(limit)).mappings()]


def attribute(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    """rows : {id, maker, names, how}."""
    made = {row["id"]: {"model": row["maker"], "class_list": row["names"], "attribution": row["how"]} for row in rows}
    counts.move(connection, made, made.__getitem__)
    query = sa.update(inferences).where(inferences.c.event_id == sa.bindparam("id"))
    values: dict[str, Any] = {
        "model": sa.bindparam("maker"),
        "class_list": sa.bindparam("names"),
        "attribution": sa.bindparam("how"),
    }
    connection.execute(query.values(values), list(rows))


def mark_read(connection: sa.Connection, files: Sequence[tuple[str, str]], rejected: Sequence[dict[str, Any]]) -> None:
    """Record capture files as read, and their unreadable lines; a file may occur twice."""
    now, keys = datetime.now(UTC), [key for key, _ in files]
    if keys:
        among, parameter = _among(connection, keys)
        for column in (capture_files.c.key, quarantine.c.capture_key):
            connection.execute(sa.text(f"DELETE FROM {column.table.name} WHERE {column.name} {among}"), parameter)
        rows = [{"key": key, "version": version, "read_at": now} for key, version in dict(files).items()]
        connection.execute(sa.insert(capture_files), rows)
    lines = {(row["capture_key"], row["capture_line"]): row for row in rejected}
    if lines:
        connection.execute(sa.insert(quarantine), list(lines.values()))


def quarantined(connection: sa.Connection) -> list[dict[str, Any]]:
    """Capture lines that could not be read, with the reason."""
    return [dict(row) for row in connection.execute(sa.select(quarantine)).mappings()]


def newest(connection: sa.Connection, until: datetime) -> datetime | None:
    """Time of the newest inference that was not imported; ignores those after `until`, from a clock that was ahead."""
    query = sa.select(inferences.c.time).where(~_imported(), inferences.c.time <= until)
    query = query.order_by(inferences.c.time.desc())
    found: datetime | None = connection.scalar(query.limit(1))
    return found


def _imported() -> sa.ColumnElement[bool]:
    return sa.func.coalesce(inferences.c.attribution, "") == str(Attribution.IMPORTED)


def made_by(model: str | None, *, indexed: bool = True, table: sa.Table = inferences) -> sa.ColumnElement[bool]:
    """The condition for inferences of one model version ("v3"), of an attribution ("imported", …), or of all (None).

    indexed : a search may begin with it; False where the newest are wanted, and the index of times is faster.
    """
    if model is None:
        return sa.true()
    number = number_of(model)
    if number is not None:
        return (table.c.model if indexed else sa.func.coalesce(table.c.model, 0)) == number
    return sa.and_(table.c.model.is_(None), table.c.attribution == model)


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


def matching(
    which: InferenceFilter, lists: Mapping[int, Sequence[str]], threshold: float, *, by_confidence: bool = False
) -> list[sa.ColumnElement[bool]]:
    """The conditions of a filter.  lists : as `class_lists` returns them.

    by_confidence : the rows are few among the confidences, and not in the time. Databases then use another index.
    """
    table, confidence = inferences.c, inferences.c.confidence if by_confidence else inferences.c.confidence + 0.0
    found = counts.between(*counts.bounds(which.since, which.until))
    found += [table.endpoint == which.endpoint] if which.endpoint is not None else []
    found += [made_by(which.model, indexed=False)] if which.model is not None else []
    if which.prediction is not None:
        of = sa.func.coalesce(table.class_list, 0)
        pairs = sorted(named(which.prediction, lists))
        found.append(sa.or_(sa.false(), *(sa.and_(of == id, table.prediction == index) for id, index in pairs)))
    if which.accepted is not None:
        found.append(confidence > threshold if which.accepted else confidence <= threshold)
    if which.reviewed is not None:
        found.append(counts.reviewed() if which.reviewed else ~counts.reviewed())
    found += [confidence > which.above] if which.above else []
    found += [confidence <= which.up_to] if which.up_to is not None else []
    return found


def rows(
    connection: sa.Connection,
    conditions: Sequence[sa.ColumnElement[bool]],
    *,
    columns: Sequence[str] = (),
    skip: int = 0,
    limit: int | None = None,
    oldest_first: bool = False,
) -> Iterator[sa.Row[Any]]:
    """Inferences one by one, newest first; all columns unless named."""
    time, id = inferences.c.time, inferences.c.event_id
    query = sa.select(*(inferences.c[name] for name in columns or inferences.c.keys())).where(*conditions)
    query = query.order_by(time, id) if oldest_first else query.order_by(time.desc(), id.desc())
    yield from connection.execute(query.offset(skip or None).limit(limit), execution_options={"yield_per": 1000})


def newest_images(connection: sa.Connection, limit: int) -> list[sa.Row[Any]]:
    """image_sha256, event_id, class_list, prediction of the newest inferences."""
    columns = "image_sha256 event_id class_list prediction"
    query = sa.select(*(inferences.c[name] for name in columns.split()))
    return list(connection.execute(query.order_by(inferences.c.time.desc()).limit(limit)))


def confidence_sums(connection: sa.Connection, endpoint: str, model: int, since: datetime) -> tuple[int, float, float]:
    """(inferences, sum of confidences c, sum of c (1 - c)) attributed to a model at an endpoint."""
    table = inferences.c
    sums = (sa.func.sum(table.confidence), sa.func.sum(table.confidence * (1 - table.confidence)))
    query = sa.select(sa.func.count(), *sums).where(table.time >= since, made_by(f"v{model}", indexed=False))
    query = query.where(table.endpoint == endpoint, table.attribution == str(Attribution.MODEL))
    count, confidences, variances = connection.execute(query).one()
    return int(count), float(confidences or 0), float(variances or 0)
