"""What another threshold would do to the captured traffic, and which threshold costs least."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scones_core.domain.cells import BINS, Ints, bin_of
from scones_core.domain.confidence import share_interval

Floats = NDArray[np.float64]
PAUSE = timedelta(minutes=2)  # between two decisions; a longer one is a break
FEWEST_GAPS = 5
FEWEST_LABELS = 10  # above a threshold, for an error rate
SAME = 0.02  # costs within this share of the least count as the same
DRAWS = 400
LEVEL = 0.95


class ErrorRate(NamedTuple):
    """A share in [0, 1] with the ends of its 95% interval, of `labels` labelled images."""

    value: float
    low: float
    high: float
    labels: int


@dataclass(frozen=True)
class WeightedLabels:
    """Labelled images like the traffic's.

    confidences, weights : shape (n,); a weight is how many of the traffic an image stands for, up to a factor.
    wrong : 1 where the model was wrong, 0 where it was right, NaN where nobody knows, shape (n,).
    """

    confidences: Floats
    wrong: Floats
    weights: Floats

    @classmethod
    def alike(cls, confidences: Floats, correct: NDArray[np.bool_]) -> "WeightedLabels":
        """Images that all weigh the same."""
        return cls(confidences, (~correct).astype(float), np.ones(len(confidences)))

    @property
    def known(self) -> "WeightedLabels":
        """Those that somebody could label."""
        return self.where(~np.isnan(self.wrong))

    def where(self, rows: NDArray[np.bool_]) -> "WeightedLabels":
        return WeightedLabels(self.confidences[rows], self.wrong[rows], self.weights[rows])

    def error_rate(self, threshold: float) -> ErrorRate | None:
        """Of the images above a threshold; None without any.

        Clopper and Pearson's interval for as many images of equal weight as these are worth (Kish
        1965); those that nobody could label are right at its lower end and wrong at its upper.
        """
        above = self.confidences > threshold
        wrong, weights = self.wrong[above], self.weights[above]
        if np.isnan(wrong).all():
            return None
        size = float(weights.sum() ** 2 / np.square(weights).sum())
        known = ~np.isnan(wrong)
        rate = float(np.average(wrong[known], weights=weights[known]))
        least, most = (float(np.average(np.where(known, wrong, fill), weights=weights)) for fill in (0.0, 1.0))
        low, high = share_interval(least, size, LEVEL)[0], share_interval(most, size, LEVEL)[1]
        return ErrorRate(rate, low, high, len(wrong))


@dataclass(frozen=True)
class WhatIf:
    """Traffic at a threshold.

    accepted, low : inferences.  error_rate : of the accepted, with the ends of its 95% interval; None without labels
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


def what_if(threshold: float, at_or_below: Ints, labels: WeightedLabels | None) -> WhatIf:
    """threshold : of three decimals.  at_or_below : inferences at or below 0, 0.001, …, 1, shape (1001,)."""
    low, total = int(at_or_below[round(threshold * BINS)]), int(at_or_below[-1])
    found = labels.error_rate(threshold) if labels else None
    if found is None:
        return WhatIf(threshold, total - low, low, 0, None, 0.0, 1.0)
    return WhatIf(threshold, total - low, low, found.labels, found.value, found.low, found.high)


def seconds_per_decision(decisions: Sequence[tuple[str, datetime]]) -> float | None:
    """Median seconds between two decisions of a reviewer without a break; None of fewer than five.

    decisions : (reviewer, time), in any order.
    """
    last: dict[str, datetime] = {}
    gaps = []
    for reviewer, time in sorted(decisions):
        if reviewer in last and time - last[reviewer] <= PAUSE:
            gaps.append((time - last[reviewer]).total_seconds())
        last[reviewer] = time
    return float(np.median(gaps)) if len(gaps) >= FEWEST_GAPS else None


@dataclass(frozen=True)
class Cheapest:
    """The threshold of least cost. cost : per 1,000 inferences, with the ends of its 95% interval at that threshold.

    same_from, same_to : thresholds around it whose cost is the same within 2%.
    best_from, best_to : 95% interval of the cheapest threshold, as other labelled images would give it.
    """

    threshold: float
    cost: float
    cost_low: float
    cost_high: float
    same_from: float
    same_to: float
    best_from: float
    best_to: float


def cheapest(at_or_below: Ints, labels: WeightedLabels, *, error: float, review: float) -> Cheapest | None:
    """The threshold at which errors of the accepted and reviews of the rest cost least together.

    error, review : prices of a wrong accepted inference and of a review.  None without traffic, with fewer than ten
    labelled images, as thresholds with fewer above them have no error rate, or if none of the images is wrong: what
    errors cost is not known then.
    The cost's interval is that of the error rate; the threshold's comes from the bootstrap over the labelled images
    (Efron & Tibshirani 1993, chapter 13).
    """
    known = labels.known
    total, n = int(at_or_below[-1]), len(known.confidences)
    if not total or n < FEWEST_LABELS or not known.wrong.any():
        return None
    low = at_or_below[:BINS] / total
    drawn = np.vstack([np.arange(n), np.random.default_rng(0).integers(0, n, (DRAWS, n))])
    bins, shape = bin_of(known.confidences), (DRAWS + 1, BINS)
    places = np.arange(DRAWS + 1)[:, None] * BINS + bins[drawn]

    def above(weights: Floats) -> Floats:
        """Weight of the labelled images above each threshold, per draw; the first row is the images themselves."""
        counts = np.bincount(places.ravel(), weights=weights[drawn].ravel(), minlength=shape[0] * BINS).reshape(shape)
        found: Floats = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1].astype(float)
        return found

    weight, errors = above(known.weights), above(known.weights * known.wrong)
    rates = np.divide(errors, weight, out=np.full(shape, np.nan), where=weight > 0)
    costs = 1_000 * (error * (1 - low) * rates + review * low)
    costs[:, np.bincount(bins, minlength=BINS)[::-1].cumsum()[::-1] < FEWEST_LABELS] = np.inf
    costs = np.where(np.isnan(costs), np.inf, costs)
    best = int(np.argmin(costs[0]))
    least = float(costs[0, best])
    alike = costs[0] <= least * (1 + SAME) + 1e-12
    first = best - int(np.argmin(alike[best::-1])) + 1 if not alike[: best + 1].all() else 0
    last = best + int(np.argmin(alike[best:])) - 1 if not alike[best:].all() else BINS - 1
    others = np.argmin(costs[1:], axis=1)
    rate = labels.error_rate(best / BINS)
    assert rate is not None  # ten labelled images or more are above it
    ends = (1_000 * (error * (1 - low[best]) * end + review * low[best]) for end in (rate.low, rate.high))
    cost_low, cost_high = map(float, ends)
    best_ends = np.quantile(others, [0.025, 0.975], method="nearest")
    return Cheapest(
        threshold=best / BINS,
        cost=least,
        cost_low=cost_low,
        cost_high=cost_high,
        same_from=first / BINS,
        same_to=last / BINS,
        best_from=float(best_ends[0]) / BINS,
        best_to=float(best_ends[1]) / BINS,
    )
