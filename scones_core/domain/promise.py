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

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from scones_core.domain.confidence import THRESHOLDS
from scones_core.domain.known_answers import KnownAnswers

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

STAKES = np.array([0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0])  # shares of the largest bet that cannot be ruinous, mixed
SHARE_OF_RISK = 0.5  # a promise audit draws where the calibrated error rate is half of what may be promised
SPARE = 1.5  # labels above the first threshold of a walk, over those that are enough without an error
SURE = 0.8  # probability with which a planned number of labels is enough
BELIEF = 100  # known answers that the confidences count as
STEP = 1.02  # from one number of labels that is tried to the next
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
    count = round((20 - np.log(1 - level)) / max_risk / weight)
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


@dataclass(frozen=True)
class PlannedAudit:
    """What a promise audit would be drawn from, and what it would have to show.

    confidences : of the period's inferences, shape (n,).  cut : nothing at or below it is drawn.
    given : labels of earlier promise audits, and start, the threshold that their walk starts at; None for a first
    audit, whose number of labels fixes it.  known : other answers of the model, such as those about test images.
    """

    confidences: Floats
    cut: float
    max_risk: float
    level: float
    known: KnownAnswers
    given: Labels | None = None
    start: float | None = None

    def labels(self) -> int | None:
        """How many labels keep a promise with probability .8; None beyond 20,000, 0 if those given do."""
        if not self._shares:
            return None
        counts, walk = [0 if self.given else int(self._least)], cache(self._walk)
        while counts[-1] < MOST:
            counts.append(max(counts[-1] + 1, int(counts[-1] * STEP)))
        return next((count for count in counts if walk(self.start_of(count)).chance(count) >= SURE), None)

    def chance(self, labels: int) -> float:
        """Probability that so many labels, drawn at random above the cut, keep a promise."""
        return self._walk(self.start_of(labels)).chance(labels)

    def start_of(self, labels: int) -> float:
        """Where the walk begins: as `start_for` says, of a first audit of so many labels."""
        if self.start is not None:
            return self.start
        enough = (at for at, share in self._shares.items() if labels * share >= SPARE * self._least)
        return next(enough, min(self._shares))

    @cached_property
    def _least(self) -> float:
        return _without_errors(self.max_risk, self.level, 1.0)

    @cached_property
    def _shares(self) -> dict[float, float]:
        """Of the inferences above the cut, those above each threshold, from the highest to the cut."""
        drawn = self.confidences[self.confidences > self.cut]
        return {at: float((drawn > at).mean()) for at in THRESHOLDS if at >= self.cut} if len(drawn) else {}

    def _walk(self, start: float) -> "_Walk":
        accepted, known = self.confidences[self.confidences > start], self.known.above(start)
        believed = float((1 - accepted).mean()) if len(accepted) else 0.0
        wrong = float(known.weights @ (1 - known.right))
        risk = (wrong + BELIEF * believed) / (float(known.weights.sum()) + BELIEF)
        given = (
            Labels.at_random(np.empty(0), np.empty(0, dtype=bool)) if self.given is None else self.given.above(start)
        )
        return _Walk(given, self._shares.get(start, 0.0), risk, self.max_risk, -np.log(1 - self.level))


@dataclass(frozen=True)
class _Walk:
    """A promise is kept or not where the walk starts: by how many labels are above it, and how many of them are wrong.

    given : labels above the start.  share : of the inferences that are drawn from, those above it.
    risk : their error rate to be expected.  enough : evidence that keeps the promise.
    """

    given: Labels
    share: float
    risk: float
    max_risk: float
    enough: float

    def chance(self, labels: int) -> float:
        """Probability that so many further labels, drawn at random, are enough."""
        from scipy.stats import binom

        wrong, right = self.share * self.risk, self.share * (1 - self.risk)
        errors = np.arange(int(binom.isf(1e-6, labels, wrong)) + 1)
        fewest = _fewest(self.given, labels, errors, self.max_risk, self.enough)
        chances = binom.sf(fewest - errors - 1, labels - errors, right / (1 - wrong)) * (fewest <= labels)
        return float((binom.pmf(errors, labels, wrong) * chances).sum())


def _fewest(before: Labels, most: int, errors: NDArray[np.int64], max_risk: float, enough: float) -> NDArray[np.int64]:
    """Fewest further labels at weight 1 that are evidence enough if so many of them are wrong; most + 1 if none are."""
    start = _log_bets(before.wrong, before.weights, max_risk).sum(axis=1)[:, None]
    right, wrong = _log_bets(np.array([False, True]), np.ones(2), max_risk).T[:, :, None]
    lost = np.where(errors > 0, np.maximum(errors, 1) * wrong, 0.0)
    low, high = errors, np.full(len(errors), most + 1)
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
