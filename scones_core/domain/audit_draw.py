"""Which captured inferences an audit labels, with known probabilities.

References
----------
[ZRN24] Zrnic, Candès, "Active statistical inference", ICML 2024, arXiv 2403.03208 (what to label).
[MAD49] Madow, "On the theory of systematic sampling, II", Ann. Math. Stat. 20 (1949).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

UNIFORM = 1 / 3  # of the labels are drawn with equal probability: none counts more than three times a random one


class AuditKind(StrEnum):
    """ACCURACY draws uncertain inferences more often; PROMISE draws at random among the confident ones."""

    ACCURACY = "accuracy"
    PROMISE = "promise"


@dataclass(frozen=True)
class Draw:
    """One of the draws of an audit, in order.

    probabilities : with which each inference of the period is in this draw or an earlier one, shape (n,).
    count : drawn by it.
    """

    probabilities: Floats
    count: int


def inclusion_probabilities(confidences: Floats, labels: int) -> Floats:
    """With which probability each of `n` inferences is drawn, shape (n,); they add up to min(labels, n).

    π = labels · (⅔ · u / Σu + ⅓ / n), u = √(c (1 − c)), capped at 1 with the surplus given to the others.
    Source: [ZRN24], whose uncertainty is the standard deviation of a correct answer at confidence c.
    """
    n = len(confidences)
    if labels >= n:
        return np.ones(n)
    uncertainty = np.sqrt(np.clip(confidences * (1 - confidences), 0, None))
    total = uncertainty.sum()
    share = np.full(n, 1 / n) if total == 0 else (1 - UNIFORM) * uncertainty / total + UNIFORM / n
    probabilities = labels * share
    while (probabilities > 1).any():
        full = probabilities >= 1
        probabilities[full] = 1
        probabilities[~full] = (labels - full.sum()) * share[~full] / share[~full].sum()
    return probabilities


def draw(probabilities: Floats, seed: int) -> Rows:
    """The rows drawn, in random order; as many as the probabilities add up to, each with exactly its own.

    Systematic sampling from a random order: unlike Poisson sampling, it draws exactly as many images as were asked
    for (one more or less of a sum that is no whole number), and the random order makes its variance that of
    high-entropy designs.  Source: [MAD49].
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(probabilities))
    total = float(probabilities.sum())
    total = round(total) if abs(total - round(total)) < 1e-6 else total
    ends = np.cumsum(probabilities[order])
    ends *= total / ends[-1] if len(ends) and ends[-1] else 1
    hits = np.searchsorted(ends, np.arange(random.uniform(0, 1), total), side="right")
    return random.permutation(order[np.minimum(hits, len(order) - 1)])


def added_probabilities(before: Floats, after: Floats, drawn: Rows) -> Floats:
    """With which probability each inference is drawn in addition to those `drawn`, for which it is 0; shape (n,).

    before, after : with which it is, and shall be, in the audit; after is no less.
    """
    added = np.clip(after - before, 0, None) / np.where(before < 1, 1 - before, 1)
    added[drawn] = 0
    return np.minimum(added, 1)


def so_far(draws: Sequence[Draw], labelled: int) -> Floats:
    """With which probability each inference is among the first `labelled` drawn, shape (n,): their order is random."""
    before, left = np.zeros(len(draws[0].probabilities)), labelled
    for one in draws:
        if left < one.count:
            return before + (one.probabilities - before) * (left / one.count)
        before, left = one.probabilities, left - one.count
    return before
