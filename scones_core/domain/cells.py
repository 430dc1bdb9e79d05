"""Counts of inferences per period, maker, predicted class and confidence bin, and their sums.

A bin holds (k / 1000, (k + 1) / 1000]; the first holds 0 as well. An inference is accepted if its confidence exceeds
the threshold, so that counts at thresholds of three decimals are sums of whole bins.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scones_core.domain.attribution import Attribution
from scones_core.domain.models import number_of

BINS = 1_000
EDGES = np.arange(BINS + 1) / BINS  # each the same float as the decimal typed by hand
NANO = 1_000_000_000  # sums of confidences are kept as integers, so that what is moved leaves nothing behind
SECOND = 1_000_000  # microseconds
WIDTHS = (300, 3_600, 86_400, 30 * 86_400)  # seconds of the periods that are counted; each a multiple of the one before
MOST_PERIODS = 400  # of a chart

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def bin_of(confidences: NDArray[np.float64] | Sequence[float]) -> Ints:
    """Bin indices, 0 to 999, of confidences in [0, 1]."""
    found = np.searchsorted(EDGES[1:], np.asarray(confidences, dtype=float), side="left")
    return np.minimum(found, BINS - 1).astype(np.int64)


def cut(threshold: float) -> tuple[int, bool]:
    """(bin that contains the threshold, whether all of that bin is at or below it)."""
    place = int(bin_of([threshold])[0])
    return place, bool(threshold >= EDGES[place + 1])


class Group(NamedTuple):
    """What inferences have in common: where they were made, by whom, and in which class names."""

    endpoint: str
    variant: str
    model: int | None
    attribution: str | None
    class_list: int | None

    @property
    def maker(self) -> str:
        """The model version ("v3"), or an attribution without one, as `Maker.name`."""
        return f"v{self.model}" if self.model is not None else str(self.attribution)

    @property
    def imported(self) -> bool:
        return self.attribution == Attribution.IMPORTED

    def made_by(self, model: str | None) -> bool:
        """Whether a model version or an attribution made it; any, if None."""
        if model is None:
            return True
        number = number_of(model)
        return self.model == number if number is not None else self.model is None and self.attribution == model


@dataclass(frozen=True)
class Cells:
    """Counts, one per cell; all arrays have shape (n,). A cell may occur several times, and counts may be negative:
    whatever is asked is a sum.

    start : of the period, microseconds since 1970.  group : id of a `Group`.  nano : sum of confidences in 1e-9.
    """

    start: Ints
    group: Ints
    prediction: Ints
    bin: Ints
    count: Ints
    nano: Ints

    @classmethod
    def none(cls) -> "Cells":
        return cls(*(np.zeros(0, dtype=np.int64) for _ in fields(cls)))

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int, float]]) -> "Cells":
        """rows : (start, group, prediction, confidence) of single inferences."""
        found = list(rows)
        if not found:
            return cls.none()
        starts, groups, predictions, confidences = zip(*found, strict=True)
        values = np.array(confidences, dtype=float)
        start, group, prediction = (np.array(c, dtype=np.int64) for c in (starts, groups, predictions))
        return cls(start, group, prediction, bin_of(values), np.ones(len(values), np.int64), nano(values))

    def __len__(self) -> int:
        return len(self.start)

    def __add__(self, other: "Cells") -> "Cells":
        mine, others = self._arrays(), other._arrays()
        return Cells(*(np.concatenate(pair) for pair in zip(mine, others, strict=True)))

    def __sub__(self, other: "Cells") -> "Cells":
        less = Cells(other.start, other.group, other.prediction, other.bin, -other.count, -other.nano)
        return self + less

    def where(self, these: Bools) -> "Cells":
        return self if these.all() else Cells(*(column[these] for column in self._arrays()))

    def per(self, seconds: int) -> "Cells":
        """The same in periods of so many seconds."""
        width = seconds * SECOND
        return Cells(self.start // width * width, *self._arrays()[1:])

    def _arrays(self) -> list[Ints]:
        return [getattr(self, field.name) for field in fields(self)]

    @property
    def total(self) -> int:
        return int(self.count.sum())

    @property
    def mean(self) -> float | None:
        """Mean confidence in [0, 1]; None of nothing."""
        total = self.total
        return int(self.nano.sum()) / NANO / total if total else None

    def by_bin(self, bins: int = BINS) -> Ints:
        """Counts of `bins` equal parts of [0, 1], shape (bins,); `bins` divides 1000."""
        return totals(self.bin * bins // BINS, self.count, bins)


def nano(confidences: NDArray[np.float64]) -> Ints:
    return np.rint(confidences * NANO).astype(np.int64)


def totals(index: Ints, count: Ints, size: int) -> Ints:
    """Sums of `count` per index below `size`; exact below 2⁵³."""
    return np.bincount(index, weights=count, minlength=size).astype(np.int64)


def summed(columns: Sequence[Ints], values: Sequence[Ints]) -> tuple[list[Ints], list[Ints]]:
    """The different rows of `columns`, in order, and the sums of `values` of each."""
    if not len(columns[0]):
        return list(columns), list(values)
    order = np.lexsort(tuple(reversed(columns)))
    ordered = [column[order] for column in columns]
    new = np.any([np.diff(column, prepend=column[0] - 1) != 0 for column in ordered], axis=0)
    starts = np.flatnonzero(new)
    return [column[starts] for column in ordered], [np.add.reduceat(value[order], starts) for value in values]


def period_of(since: int, until: int) -> int:
    """Seconds of the periods in which a chart of [since, until] is drawn."""
    return next((width for width in WIDTHS if until - since <= MOST_PERIODS * width * SECOND), WIDTHS[-1])


class Span(NamedTuple):
    """[start, end) in microseconds since 1970, covered by whole periods of `width` seconds; 0 if only rows cover it."""

    width: int
    start: int
    end: int


def spans(start: int, end: int, widest: int) -> list[Span]:
    """[start, end) in as few periods as possible, none wider than `widest` seconds; the rest at the ends in rows."""
    for width in reversed([width for width in WIDTHS if width <= widest]):
        wide = width * SECOND
        first, last = -(-start // wide) * wide, end // wide * wide
        if first < last:
            return [*spans(start, first, width - 1), Span(width, first, last), *spans(last, end, width - 1)]
    return [Span(0, start, end)] if start < end else []


def histogram(bins: Ints, low: Ints, parts: int = 20) -> list[dict[str, float]]:
    """Counts over [0, 1] in `parts` of equal width, as rows `{from, to, inferences, low_confidence}`.

    bins, low : counts per bin of all inferences, and of those at or below the threshold.
    """
    counts, below = (part.reshape(parts, -1).sum(axis=1) for part in (bins, low))
    return [
        {"from": i / parts, "to": (i + 1) / parts, "inferences": int(n), "low_confidence": int(m)}
        for i, (n, m) in enumerate(zip(counts, below, strict=True))
    ]


def packed(cell: Ints, count: Ints, sums: Ints) -> bytes:
    """Cells of one period and group as stored: cell = prediction × 1000 + bin."""
    found = np.empty(len(cell), STORED)
    found["cell"], found["count"], found["nano"] = cell, count, sums
    return found.tobytes()


def unpacked(data: bytes) -> NDArray[Any]:
    return np.frombuffer(data, STORED)


STORED = np.dtype([("cell", "<u4"), ("count", "<i4"), ("nano", "<i8")])
