"""A promise about production: "at most R of what is accepted is wrong", from labels that keep coming.

Each threshold is tested by betting against "its risk is R or more"; the wealth of a bet that is fair at best exceeds
1 / a with probability a at most over all looks together, so that asking again every day does not spend the guarantee.
Walking down from one threshold and stopping at the first that does not hold keeps the level for the walk, if the walk
starts at the same threshold in all looks: it is fixed with the draw, before there is a label.

References
----------
[WAU23] Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2023), arXiv
        2010.09686 (the bets, their mixture, valid over all looks by Ville's inequality).
[ANG21] Angelopoulos, Bates, Candès, Jordan, Lei, "Learn then test", arXiv 2110.01052 (fixed-sequence testing).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scones_core.domain.confidence import THRESHOLDS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

STAKES = np.array([0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0])  # shares of the largest bet that cannot be ruinous, mixed
SHARE_OF_RISK = 0.5  # a promise audit draws where the calibrated error rate is half of what may be promised
SPARE = 1.5  # labels above the first threshold of a walk, over those that are enough without an error
SURE = 0.8  # probability with which a planned number of labels is enough
BELIEF = 20  # expected errors that the confidences count as, beside known answers
DRAWS = 400  # simulated audits of a plan
MOST = 20_000  # labels beyond which a plan is none


@dataclass(frozen=True)
class Labels:
    """Labelled inferences in the order in which they were labelled.

    confidences : shape (n,).  wrong : bool, shape (n,).  weights : in (0, 1], the smallest probability of being drawn
    over one's own; 1 for labels drawn at random.  cuts : confidences at or below which nothing was drawn with them.
    """

    confidences: Floats
    wrong: Bools
    weights: Floats
    cuts: Floats

    def above(self, threshold: float) -> "Labels":
        """Those that say something of what is accepted at a threshold: drawn among all that is above it."""
        kept = (self.confidences > threshold) & (self.cuts <= threshold)
        return Labels(self.confidences[kept], self.wrong[kept], self.weights[kept], self.cuts[kept])

    @classmethod
    def at_random(cls, confidences: Floats, wrong: Bools, cut: float = 0.0) -> "Labels":
        """Labels drawn at random above a cut."""
        return cls(confidences, wrong, np.ones(len(wrong)), np.full(len(wrong), cut))


@dataclass(frozen=True)
class Promise:
    """A threshold with which at most `max_risk` of what is accepted is wrong, at `level`, over all looks.

    risk : weighted error rate of the accepted labels.  risk_upper_bound : its bound at `level`, valid over all looks.
    """

    threshold: float
    max_risk: float
    level: float
    risk: float
    risk_upper_bound: float
    labels_used: int


def evidence(wrong: Bools, weights: Floats, max_risk: float) -> float:
    """Natural logarithm of the evidence against "the risk is `max_risk` or more".  Source: [WAU23], section 4."""
    return float(_log_wealth(wrong, weights, max_risk)[-1]) if len(wrong) else 0.0


def _log_wealth(wrong: Bools, weights: Floats, max_risk: float) -> Floats:
    """After each label, shape (n,); the bets mixed in equal parts."""
    return _mixed(np.cumsum(_log_bets(wrong, weights, max_risk), axis=1))


def _log_bets(wrong: Bools, weights: Floats, max_risk: float) -> Floats:
    """What each label multiplies the wealth of each stake by, as logarithms, shape (stakes, n)."""
    gain = (max_risk - wrong) / (1 - max_risk) * weights  # -1 at the least, so that no stake is lost by more than all
    with np.errstate(divide="ignore"):
        return np.asarray(np.log1p(STAKES[:, None] * gain))


def _mixed(wealth: Floats) -> Floats:
    """wealth : of each stake, as logarithms, shape (stakes, n)."""
    from scipy.special import logsumexp

    return np.asarray(logsumexp(wealth, axis=0) - np.log(len(STAKES)))


def risk_bound(wrong: Bools, weights: Floats, level: float) -> float:
    """Upper bound of the risk at `level` in (0, 1), valid over all looks; 1.0 without labels.

    The largest risk that the labels are not evidence enough against, which they are more, the larger it is.
    """
    from scipy.optimize import brentq

    enough = -np.log(1 - level)
    lowest, highest = 1e-9, 1 - 1e-9
    if evidence(wrong, weights, highest) < enough:
        return 1.0
    return float(brentq(lambda risk: min(evidence(wrong, weights, risk), 1e6) - enough, lowest, highest, xtol=1e-9))


def promise(labels: Labels, *, max_risk: float, level: float, start: float) -> Promise | None:
    """The lowest threshold that keeps the promise, walking down from `start` while every step holds.

    start : the same in all looks, see `start_for`.  None if the promise does not hold there.  Source: [ANG21], 3.2.
    """
    found, enough = None, -np.log(1 - level)
    for threshold in THRESHOLDS[THRESHOLDS.index(start) :]:
        accepted = labels.above(threshold)
        if evidence(accepted.wrong, accepted.weights, max_risk) < enough:
            break
        found = threshold
    return None if found is None else _promised(labels.above(found), found, max_risk, level)


def start_for(confidences: Floats, probabilities: Floats, *, max_risk: float, level: float, cut: float = 0.0) -> float:
    """The highest threshold above which a draw can be expected to give half as many labels again as a promise needs.

    The lowest above the cut if none gives as many.
    confidences, probabilities : of the period's inferences, shape (n,); 0 for those that cannot be drawn.
    """
    found, least = THRESHOLDS[0], float(probabilities[probabilities > 0].min())
    for threshold in THRESHOLDS:
        if threshold < cut:
            break
        found, above = threshold, (confidences > threshold) & (probabilities > 0)
        expected = float(probabilities[above].sum())
        weight = least * above.sum() / expected if expected else 1.0
        if expected >= SPARE * _without_errors(max_risk, level, min(weight, 1.0)):
            break
    return found


def _without_errors(max_risk: float, level: float, weight: float) -> float:
    """Number of labels, none of them wrong, that keep a promise."""
    count = round(20 / max_risk / weight)
    return labels_until(np.full(count, False), np.full(count, weight), max_risk=max_risk, level=level)


def _promised(accepted: Labels, threshold: float, max_risk: float, level: float) -> Promise:
    risk = float((accepted.weights * accepted.wrong).sum() / accepted.weights.sum())
    bound = risk_bound(accepted.wrong, accepted.weights, level)
    return Promise(threshold, max_risk, level, risk, bound, len(accepted.wrong))


def cut_for(confidences: Floats, max_risk: float) -> float:
    """The lowest threshold above which the calibrated error rate is at most half of `max_risk`; .99 if none is.

    Labels below it are worth nothing to the promise.  confidences : of the period's inferences, shape (n,).
    """
    found = THRESHOLDS[0]
    for threshold in THRESHOLDS:
        accepted = confidences[confidences > threshold]
        if len(accepted) and (1 - accepted).mean() > SHARE_OF_RISK * max_risk:
            break
        found = threshold if len(accepted) else found
    return found


def error_scale(answers: Labels) -> float:
    """By how much errors are more frequent than the confidences say, from known answers; 1 without any.

    Twenty errors that are as expected are added to those seen, so that a few answers change little.
    """
    return float((answers.wrong.sum() + BELIEF) / ((1 - answers.confidences).sum() + BELIEF))


def labels_for_promise(
    confidences: Floats, *, max_risk: float, level: float, given: Labels | None = None, scale: float = 1.0
) -> int | None:
    """How many more labels, drawn at random above the cut, keep a promise with probability .8; None beyond 20,000.

    confidences : of the inferences above the cut, shape (n,).  given : labels that are there already.
    scale : errors over those that the confidences let expect, see `error_scale`.
    """
    before = given or Labels.at_random(np.empty(0), np.empty(0, dtype=bool))
    random = np.random.default_rng(0)
    already = np.isfinite(labels_until(before.wrong, before.weights, max_risk=max_risk, level=level))

    def passed(count: int) -> Floats:
        """After how many of `count` further labels each simulated audit is enough."""
        if already:
            return np.zeros(DRAWS)
        fewest, first = _fewest(before, count, max_risk, -np.log(1 - level)), []
        for _ in range(DRAWS):
            wrong = random.random(count) < scale * (1 - random.choice(confidences, count))
            enough = np.flatnonzero(np.arange(1, count + 1) >= fewest[np.cumsum(wrong)])
            first.append(float(enough[0] + 1) if len(enough) else float("inf"))
        return np.array(first)

    return _planned(passed, round(-np.log(1 - level) / max_risk))


def _fewest(before: Labels, count: int, max_risk: float, enough: float) -> NDArray[np.int64]:
    """Fewest further labels at weight 1 that are evidence enough if k of them are wrong, for k of 0 to `count`.

    Shape (count + 1,); count + 1 where even `count` are not.
    """
    start = _log_bets(before.wrong, before.weights, max_risk).sum(axis=1)[:, None]
    right, wrong = _log_bets(np.array([False, True]), np.ones(2), max_risk).T[:, :, None]
    errors = np.arange(count + 1)
    lost = np.where(errors > 0, np.maximum(errors, 1) * wrong, 0.0)
    low, high = errors, np.full(count + 1, count + 1)
    while (low < high).any():
        middle = (low + high) // 2
        passes = _mixed(start + (middle - errors) * right + lost) >= enough
        low, high = np.where(passes, low, np.minimum(middle + 1, high)), np.where(passes, middle, high)
    return high


def labels_until(wrong: Bools, weights: Floats, *, max_risk: float, level: float) -> float:
    """Number of labels after which they are evidence enough for a risk below `max_risk`; inf if they never are."""
    if not len(wrong):
        return float("inf")
    enough = np.flatnonzero(_log_wealth(wrong, weights, max_risk) >= -np.log(1 - level))
    return float(enough[0] + 1) if len(enough) else float("inf")


def _planned(passed: Callable[[int], Floats], first: int) -> int | None:
    count = max(first, 20)
    while count <= MOST:
        needed = float(np.quantile(passed(count), SURE, method="higher"))
        if np.isfinite(needed):
            return int(needed)
        count *= 2
    return None
