"""What another threshold would do to the captured traffic, and which threshold costs least."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from scones_core.domain.cells import BINS, Ints, bin_of
from scones_core.domain.confidence import accuracy_interval

Floats = NDArray[np.float64]
PAUSE = timedelta(minutes=2)  # between two decisions; a longer one is a break
FEWEST_GAPS = 5
FEWEST_LABELS = 10  # above a threshold, for an error rate
SAME = 0.02  # costs within this share of the least count as the same
DRAWS = 400


@dataclass(frozen=True)
class WhatIf:
    """Traffic at a threshold.

    accepted, low : inferences.  error_rate : of the accepted, with the ends of its 95 % interval; None without labels
    above the threshold.  labels : labelled images above it.
    """

    threshold: float
    accepted: int
    low: int
    labels: int
    error_rate: float | None
    error_low: float
    error_high: float

    @property
    def errors(self) -> float | None:
        """Expected wrong inferences among the accepted."""
        return None if self.error_rate is None else self.accepted * self.error_rate


def what_if(threshold: float, at_or_below: Ints, confidences: Floats, correct: NDArray[np.bool_]) -> WhatIf:
    """threshold : of three decimals.  at_or_below : inferences at or below 0, 0.001, …, 1, shape (1001,).

    confidences, correct : of labelled images like the traffic's, shape (n,).
    """
    low, total = int(at_or_below[round(threshold * BINS)]), int(at_or_below[-1])
    above = confidences > threshold
    labels, wrong = int(above.sum()), int((above & ~correct).sum())
    right_low, right_high = accuracy_interval(labels - wrong, labels)
    rate = wrong / labels if labels else None
    return WhatIf(threshold, total - low, low, labels, rate, 1 - right_high, 1 - right_low)


def seconds_per_decision(decisions: Sequence[tuple[str, datetime]]) -> float | None:
    """Median seconds between two decisions of a reviewer without a break; None of fewer than five.

    decisions : (reviewer, time), in any order.
    """
    last: dict[str, datetime] = {}
    gaps = []
    for reviewer, time in sorted(decisions, key=lambda decision: decision[1]):
        if reviewer in last and time - last[reviewer] <= PAUSE:
            gaps.append((time - last[reviewer]).total_seconds())
        last[reviewer] = time
    return float(np.median(gaps)) if len(gaps) >= FEWEST_GAPS else None


@dataclass(frozen=True)
class Cheapest:
    """The threshold of least cost. cost : per 1,000 inferences, with the ends of its 95 % interval at that threshold.

    same_from, same_to : thresholds around it whose cost is the same within 2 %.
    best_from, best_to : 95 % interval of the cheapest threshold, as other labelled images would give it.
    """

    threshold: float
    cost: float
    cost_low: float
    cost_high: float
    same_from: float
    same_to: float
    best_from: float
    best_to: float


def cheapest(
    at_or_below: Ints, confidences: Floats, correct: NDArray[np.bool_], *, error: float, review: float
) -> Cheapest | None:
    """The threshold at which errors of the accepted and reviews of the rest cost least together.

    error, review : prices of a wrong accepted inference and of a review.  None without traffic, or with fewer than ten
    labelled images: thresholds with fewer above them have no error rate.
    The cost's interval is that of the error rate (Clopper & Pearson 1934); the threshold's comes from the bootstrap
    over the labelled images (Efron & Tibshirani 1993, chapter 13).
    """
    total, n = int(at_or_below[-1]), len(confidences)
    if not total or n < FEWEST_LABELS:
        return None
    low = at_or_below[:BINS] / total
    bins, wrong = bin_of(confidences), ~correct
    drawn = np.vstack([np.arange(n), np.random.default_rng(0).integers(0, n, (DRAWS, n))])
    row = np.arange(DRAWS + 1)[:, None] * BINS
    places, shape = row + bins[drawn], (DRAWS + 1, BINS)

    def above(weights: NDArray[np.bool_] | None) -> Floats:
        """Labelled images above each threshold, per draw; the first row is the images themselves."""
        chosen = None if weights is None else weights[drawn].ravel().astype(float)
        counts = np.bincount(places.ravel(), weights=chosen, minlength=shape[0] * BINS).reshape(shape)
        found: Floats = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1].astype(float)
        return found

    labels, errors = above(None), above(wrong)
    rates = np.divide(errors, labels, out=np.full(shape, np.nan), where=labels > 0)
    costs = 1_000 * (error * (1 - low) * rates + review * low)
    costs[:, labels[0] < FEWEST_LABELS] = np.inf
    costs = np.where(np.isnan(costs), np.inf, costs)
    best = int(np.argmin(costs[0]))
    least = float(costs[0, best])
    alike = costs[0] <= least * (1 + SAME) + 1e-12
    first = best - int(np.argmin(alike[best::-1])) + 1 if not alike[: best + 1].all() else 0
    last = best + int(np.argmin(alike[best:])) - 1 if not alike[best:].all() else BINS - 1
    others = np.argmin(costs[1:], axis=1)
    right = accuracy_interval(int(labels[0, best] - errors[0, best]), int(labels[0, best]))
    ends = [1_000 * (error * (1 - low[best]) * (1 - share) + review * low[best]) for share in reversed(right)]
    best_ends = np.quantile(others, [0.025, 0.975], method="nearest")
    return Cheapest(
        threshold=best / BINS,
        cost=least,
        cost_low=float(ends[0]),
        cost_high=float(ends[1]),
        same_from=first / BINS,
        same_to=last / BINS,
        best_from=float(best_ends[0]) / BINS,
        best_to=float(best_ends[1]) / BINS,
    )
