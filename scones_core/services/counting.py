"""Counts of the inferences that a filter leaves, from the counts kept at ingest."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sqlalchemy as sa

from scones_core.db import counts
from scones_core.db import inferences as table
from scones_core.domain.cells import BINS, SECOND, Bools, Cells, Group, Ints, cut, period_of, totals
from scones_core.domain.inference_filter import InferenceFilter, class_name, named
from scones_core.services.app import App


@dataclass(frozen=True)
class Counted:
    """Inferences that a filter leaves.

    cells : all of them, per period of `period` seconds.  low : those at or below the threshold `at`.
    every : those of the same time, without the rest of the filter; the cost of a search.
    first, last : times of the oldest and newest inference of that time, in microseconds since 1970.
    lists : id → class names.
    """

    which: InferenceFilter
    at: float
    period: int
    first: int
    last: int
    cells: Cells
    low: Cells
    every: Cells
    groups: Mapping[int, Group]
    lists: Mapping[int, Sequence[str]]

    def class_of(self, group: int, prediction: int) -> str:
        return class_name(self.lists.get(self.groups[group].class_list or 0, ()), prediction)

    def by_class(self, cells: Cells) -> dict[str, int]:
        """Predicted class → inferences."""
        found: dict[str, int] = {}
        if len(cells):
            width = int(cells.prediction.max()) + 1
            keys, index = np.unique(cells.group * width + cells.prediction, return_inverse=True)
            for key, count in zip(keys.tolist(), totals(index, cells.count, len(keys)).tolist(), strict=True):
                name = self.class_of(*divmod(key, width))
                found[name] = found.get(name, 0) + count
        return found

    def per_period(self, cells: Cells) -> dict[int, int]:
        """Start of the period in microseconds since 1970 → inferences; only periods that have some."""
        starts, index = np.unique(cells.start, return_inverse=True)
        found = zip(starts.tolist(), totals(index, cells.count, len(starts)).tolist(), strict=True)
        return {start: count for start, count in found if count}

    def search(self, skip: int, wanted: int, most: float = math.inf) -> tuple[list[sa.ColumnElement[bool]], int]:
        """(conditions, rest): where the inferences from `skip` to `skip + wanted`, newest first, are found soonest.

        `rest` are still to be skipped there: whole periods are skipped by their counts, unless the confidences of the
        filter are rarer than what those periods hold.  most : inferences to look through; beyond them, and at least
        a period, fewer are found.
        """
        start, end, rest, cost = self._reach(skip, wanted, most)
        if self._as_confident() < cost:
            return table.matching(self.which, self.lists, self.at, by_confidence=True), skip
        return [*counts.between(start, end), *table.matching(self.which, self.lists, self.at)], rest

    def _as_confident(self) -> float:
        """Inferences of that time within the confidences of the filter; infinite for a filter without."""
        lowest, highest = round((self.which.above or 0) * BINS), round((self.which.up_to or 1) * BINS)
        if highest - lowest == BINS or self.which.since or self.which.until:
            return math.inf
        return int(self.every.by_bin()[lowest:highest].sum())

    def _reach(self, skip: int, wanted: int, most: float) -> tuple[int, int, int, int]:
        """start and end of the periods to look through, in microseconds; skipped there; inferences there."""
        here, every = self.per_period(self.cells), self.per_period(self.every)
        start = end = searched = 0
        for at in sorted(here, reverse=True):
            if not end and skip >= here[at]:
                skip -= here[at]
                continue
            if not end:
                end, wanted = at + self.period * SECOND, wanted + skip
            start, wanted, searched = at, wanted - here[at], searched + every.get(at, 0)
            if wanted <= 0 or searched >= most:
                break
        return start, end, skip, searched


def count(connection: sa.Connection, which: InferenceFilter, at: float, *, widest: int | None = None) -> Counted:
    """Count the inferences that a filter leaves, at a threshold.

    widest : of the periods, in seconds; by default as a chart needs them.
    """
    groups, lists = counts.groups(connection), table.class_lists(connection)
    since, until = counts.bounds(which.since, which.until)
    first, last = counts.extent(connection, since, until) or (0, 0)
    period = widest or period_of(first, last)
    every = counts.cells(connection, since, until, period).per(period)
    found, ids = every, {group: id for id, group in groups.items()}
    if which.reviewed is not None:
        reviewed = counts.of_reviewed(connection, since, until, ids).per(period)
        found = reviewed if which.reviewed else every - reviewed
    found = found.where(_left(found, which, groups, lists))
    low = _low(connection, found, which, at, groups, lists, period)
    if which.accepted is not None:
        found = found - low if which.accepted else low
        low = Cells.none() if which.accepted else low
    return Counted(which, at, period, first, last, found, low, every, groups, lists)


def _left(
    cells: Cells, which: InferenceFilter, groups: Mapping[int, Group], lists: Mapping[int, Sequence[str]]
) -> Bools:
    """The cells that a filter leaves, but for time, threshold and reviews."""
    left = np.isin(cells.group, [id for id, group in groups.items() if which.has(group)])
    if which.prediction is not None:
        of = np.array([groups[id].class_list or 0 if id in groups else 0 for id in range(max(groups, default=0) + 1)])
        pairs = [(of[cells.group] == id) & (cells.prediction == i) for id, i in named(which.prediction, lists)]
        left &= np.any(pairs, axis=0) if pairs else np.zeros(len(cells), bool)
    if which.above:
        left &= cells.bin >= round(which.above * BINS)
    if which.up_to is not None:
        left &= cells.bin < max(1, round(which.up_to * BINS))
    return left


def _low(
    connection: sa.Connection,
    cells: Cells,
    which: InferenceFilter,
    at: float,
    groups: Mapping[int, Group],
    lists: Mapping[int, Sequence[str]],
    period: int,
) -> Cells:
    """Those at or below the threshold: whole bins, and rows of the bin that it cuts."""
    place, whole = cut(at)
    below = cells.where(cells.bin < place + whole)
    if whole or not (cells.bin == place).any():
        return below
    narrowed = replace(which, accepted=False, above=max(which.above or 0, place / BINS) or None)
    conditions = table.matching(narrowed, lists, at, by_confidence=True)
    return below + counts.within(connection, conditions, {group: id for id, group in groups.items()}).per(period)


@dataclass(frozen=True)
class Choices:
    """What filters can be set to. classes : names of predicted classes."""

    endpoints: Sequence[str]
    classes: Sequence[str]


def choices(app: App) -> Choices:
    """Of all captured inferences."""
    with app.db.read() as connection:
        groups, lists = counts.groups(connection), table.class_lists(connection)
        nameless = counts.nameless(connection)
    named_ones = {name for group in groups.values() for name in lists.get(group.class_list or 0, ())}
    numbered = [f"class {index}" for index in sorted(nameless)]
    return Choices(sorted({group.endpoint for group in groups.values()}), [*sorted(named_ones), *numbered])


def thresholds(found: Counted) -> Ints:
    """Inferences at or below each of the thresholds 0, 0.001, …, 1, shape (1001,); exact, and 0 at 0 by convention."""
    return np.concatenate([[0], np.cumsum(found.cells.by_bin())])
