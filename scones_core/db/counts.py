"""Counts of inferences, kept in every transaction that adds or changes inferences."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from operator import itemgetter
from typing import Any

import numpy as np
import sqlalchemy as sa

from scones_core.db.schema import EPOCH, inference_counts, inference_groups, inferences, reviewed_images
from scones_core.domain.attribution import Maker
from scones_core.domain.cells import (
    BINS,
    SECOND,
    WIDTHS,
    Cells,
    Group,
    Ints,
    bin_of,
    nano,
    packed,
    spans,
    summed,
    unpacked,
)
from scones_core.domain.models import number_of

CHUNK = 500  # well under SQLite's limit of bound parameters
AT_ONCE = 50_000  # inferences recounted in memory
END = (1 << 62) // (WIDTHS[-1] * SECOND) * WIDTHS[-1] * SECOND  # beyond any time
COLUMNS = [
    sa.type_coerce(inferences.c.time, sa.BigInteger).label("time"),
    *(inferences.c[name] for name in (*Group._fields, "prediction", "confidence")),
]


def microseconds(time: datetime) -> int:
    since = time - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def bounds(*times: datetime | None) -> list[int | None]:
    return [None if time is None else microseconds(time) for time in times]


def groups(connection: sa.Connection) -> dict[int, Group]:
    """Id → group."""
    return {id: Group(*values) for id, *values in connection.execute(sa.select(inference_groups))}


def _group_ids(connection: sa.Connection, wanted: set[Group]) -> Mapping[tuple[Any, ...], int]:
    known: dict[tuple[Any, ...], int] = {group: id for id, group in groups(connection).items()}
    for group in wanted - known.keys():
        query = sa.insert(inference_groups).values(group._asdict()).returning(inference_groups.c.id)
        known[group] = int(connection.scalar(query) or 0)
    return known


def change(connection: sa.Connection, rows: Sequence[Mapping[str, Any]], sign: int = 1) -> None:
    """Add inferences to the counts, or with sign -1 take them out.

    rows : with time (UTC or microseconds), prediction, confidence, and the fields of `Group`.
    """
    if not rows:
        return
    keys = list(map(itemgetter(*Group._fields), rows))
    ids = _group_ids(connection, {Group(*key) for key in set(keys)})
    group = np.array([ids[key] for key in keys], dtype=np.int64)
    times, predictions, values = zip(*map(itemgetter("time", "prediction", "confidence"), rows), strict=True)
    time = np.array(times if isinstance(times[0], int) else list(map(microseconds, times)), dtype=np.int64)
    confidences = np.array(values, dtype=float)
    cell = np.array(predictions, dtype=np.int64) * BINS + bin_of(confidences)
    count, sums = np.full(len(rows), sign, dtype=np.int64), sign * nano(confidences)
    for width in WIDTHS:
        wide = width * SECOND
        _merge(connection, width, [time // wide * wide, group, cell], [count, sums])


def move(
    connection: sa.Connection,
    ids: Iterable[str],
    becomes: Callable[[str], Mapping[str, Any]],
    which: sa.ColumnElement[bool] | None = None,
) -> None:
    """Count inferences, by event id, in the group that they are about to belong to.

    becomes : the new fields of an event id's `Group`.  which : of these only those for which it holds.
    """
    table, wanted = inferences.c, list(ids)
    for at in range(0, len(wanted), CHUNK):
        query = sa.select(table.event_id, *COLUMNS).where(table.event_id.in_(wanted[at : at + CHUNK]))
        found = connection.execute(query if which is None else query.where(which)).mappings()
        rows = [dict(row) for row in found]
        change(connection, rows, -1)
        change(connection, [{**row, **becomes(row["event_id"])} for row in rows])


def move_all(connection: sa.Connection, which: sa.ColumnElement[bool], becomes: Mapping[str, Any]) -> None:
    """The same for all inferences for which `which` holds."""
    for some in _in_parts(connection, sa.select(*COLUMNS).where(which)):
        change(connection, some, -1)
        change(connection, [{**row, **becomes} for row in some])


def _in_parts(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[list[Mapping[str, Any]]]:
    """The rows of a query, so many at a time, in order of time, so that a part touches few periods."""
    found = connection.execute(query.order_by(inferences.c.time), execution_options={"yield_per": AT_ONCE})
    rows = iter(found.mappings())
    while some := list(islice(rows, AT_ONCE)):
        yield [dict(row) for row in some]


def _merge(connection: sa.Connection, width: int, columns: Sequence[Ints], values: Sequence[Ints]) -> None:
    """columns : start, group, cell.  values : count, sum of confidences."""
    changed = set(zip(columns[0].tolist(), columns[1].tolist(), strict=True))
    known = _stored(connection, width, changed)
    columns = [np.concatenate(pair) for pair in zip(columns, known[:3], strict=True)]
    values = [np.concatenate(pair) for pair in zip(values, known[3:], strict=True)]
    (start, group, cell), (count, sums) = summed(columns, values)
    left = count != 0
    start, group, cell, count, sums = (column[left] for column in (start, group, cell, count, sums))
    table = inference_counts.c
    where = (table.width == width, table.start == sa.bindparam("s"), table.group == sa.bindparam("g"))
    connection.execute(sa.delete(inference_counts).where(*where), [{"s": _time(s), "g": g} for s, g in changed])
    if not len(start):
        return
    first = np.flatnonzero((np.diff(start, prepend=-1) != 0) | (np.diff(group, prepend=-1) != 0))
    rows = [
        {
            "width": width,
            "start": _time(int(start[a])),
            "group": int(group[a]),
            "inferences": int(count[a:b].sum()),
            "cells": packed(cell[a:b], count[a:b], sums[a:b]),
        }
        for a, b in zip(first, [*first[1:], len(start)], strict=True)
    ]
    connection.execute(sa.insert(inference_counts), rows)


def _time(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)


def _stored(connection: sa.Connection, width: int, changed: set[tuple[int, int]]) -> list[Ints]:
    """start, group, cell, count, sum of confidences of these (start, group)."""
    table, starts = inference_counts.c, sorted({start for start, _ in changed})
    found = []
    start = sa.type_coerce(table.start, sa.BigInteger)
    for at in range(0, len(starts), CHUNK):
        query = sa.select(start, table.group, table.cells).where(table.width == width)
        query = query.where(table.start.in_([_time(value) for value in starts[at : at + CHUNK]]))
        found += [row for row in connection.execute(query) if (row[0], row[1]) in changed]
    return _expanded(found)


def _expanded(rows: Sequence[Any]) -> list[Ints]:
    """rows : (start, group, cells)."""
    parts = [unpacked(data) for _, _, data in rows]
    lengths = [len(part) for part in parts]
    every = np.concatenate(parts) if parts else unpacked(b"")
    start, group = (np.repeat(np.array([row[i] for row in rows], dtype=np.int64), lengths) for i in (0, 1))
    return [start, group, *(every[name].astype(np.int64) for name in ("cell", "count", "nano"))]


def recount(connection: sa.Connection) -> None:
    """Make the counts anew from the inferences."""
    connection.execute(sa.delete(inference_counts))
    connection.execute(sa.delete(inference_groups))
    for some in _in_parts(connection, sa.select(*COLUMNS)):
        change(connection, some)


def cells(connection: sa.Connection, since: int | None, until: int | None, widest: int) -> Cells:
    """The inferences of [since, until), in periods of at most `widest` seconds; None is open.

    Rows are read only for what is left of the shortest period at either end.
    """
    table, rows = inference_counts.c, Cells.none()
    found: list[sa.Row[Any]] = []
    start = sa.type_coerce(table.start, sa.BigInteger)
    ids = {group: id for id, group in groups(connection).items()}
    for span in spans(since or 0, END if until is None else until, widest):
        if not span.width:
            rows += within(connection, between(span.start, span.end), ids)
            continue
        query = sa.select(start, table.group, table.cells).where(table.width == span.width)
        query = query.where(table.start >= _time(span.start))
        if span.end < END:
            query = query.where(table.start < _time(span.end))
        found += connection.execute(query).all()
    first, group, cell, count, sums = _expanded(found)
    return Cells(first, group, cell // BINS, cell % BINS, count, sums) + rows


def of_rows(rows: Iterable[Any], ids: Mapping[Group, int]) -> Cells:
    """rows : with the columns `COLUMNS`."""
    return Cells.of((time, ids[Group(*key)], prediction, value) for time, *key, prediction, value in rows)


def between(since: int | None, until: int | None) -> list[sa.ColumnElement[bool]]:
    """Conditions for the inferences of [since, until), in microseconds."""
    time = inferences.c.time
    return [
        *([] if since is None else [time >= _time(since)]),
        *([] if until is None else [time < _time(until)]),
    ]


def reviewed() -> sa.ColumnElement[bool]:
    """The condition for inferences whose image has a decision."""
    return sa.exists().where(reviewed_images.c.image_sha256 == inferences.c.image_sha256)


def of_reviewed(connection: sa.Connection, since: int | None, until: int | None, ids: Mapping[Group, int]) -> Cells:
    """The inferences of [since, until) whose image has a decision: few, so that they are counted when asked for."""
    found = within(connection, [inferences.c.image_sha256.in_(sa.select(reviewed_images.c.image_sha256))], ids)
    return found.where((found.start >= (since or 0)) & (found.start < (END if until is None else until)))


def within(connection: sa.Connection, conditions: Sequence[sa.ColumnElement[bool]], ids: Mapping[Group, int]) -> Cells:
    """The inferences for which the conditions hold."""
    return of_rows(connection.execute(sa.select(*COLUMNS).where(*conditions)), ids)


def counted() -> sa.Select[Any]:
    """Counts all inferences."""
    table = inference_counts.c
    return sa.select(sa.func.coalesce(sa.func.sum(table.inferences), 0)).where(table.width == WIDTHS[-1])


def makers(connection: sa.Connection) -> list[Maker]:
    """Makers of the captured inferences, with counts; the newest model first, then those without a model."""
    table = inference_counts.c
    query = sa.select(table.group, sa.func.sum(table.inferences)).where(table.width == WIDTHS[-1])
    known, found = groups(connection), dict[str, Maker]()
    for id, count in connection.execute(query.group_by(table.group)):
        name, unnamed = known[id].maker, known[id].class_list is None
        before = found.get(name, Maker(name, 0, 0))
        found[name] = Maker(name, before.inferences + int(count), before.unnamed + int(count) * unnamed)
    return sorted(found.values(), key=lambda maker: (-(number_of(maker.name) or 0), maker.name))


def nameless(connection: sa.Connection) -> set[int]:
    """Predicted classes, by index, of inferences whose class names are not known."""
    table, of = inference_counts.c, inference_groups.c
    query = sa.select(table.cells).join(inference_groups, of.id == table.group)
    found = connection.scalars(query.where(table.width == WIDTHS[-1], of.class_list.is_(None)))
    return {int(index) for data in found for index in np.unique(unpacked(data)["cell"] // BINS)}


def extent(connection: sa.Connection, since: int | None = None, until: int | None = None) -> tuple[int, int] | None:
    """Times of the oldest and the newest inference of [since, until), in microseconds; None if there is none."""
    time = sa.type_coerce(inferences.c.time, sa.BigInteger)
    ends = (
        connection.scalar(sa.select(time).where(*between(since, until)).order_by(order).limit(1))
        for order in (inferences.c.time, inferences.c.time.desc())
    )
    first, last = ends
    return None if first is None or last is None else (int(first), int(last))
