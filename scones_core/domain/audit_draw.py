"""Which captured inferences an audit labels, with known probabilities.

References
----------
[ZRN24] Zrnic, Candès, "Active statistical inference", ICML 2024, arXiv 2403.03208 (what to label).
[MAD49] Madow, "On the theory of systematic sampling, II", Ann. Math. Stat. 20 (1949).
"""

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
    for, and the random order makes its variance that of high-entropy designs.  Source: [MAD49].
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(probabilities))
    count = round(float(probabilities.sum()))
    ends = np.cumsum(probabilities[order])
    ends *= count / ends[-1] if len(ends) and ends[-1] else 1
    hits = np.searchsorted(ends, np.arange(count) + random.uniform(0, 1), side="right")
    return random.permutation(order[np.minimum(hits, len(order) - 1)])


def so_far(probabilities: Floats, labelled: int) -> Floats:
    """Probabilities of the first `labelled` of the drawn rows, whose order is random, from those of all drawn."""
    return probabilities * (labelled / len(probabilities)) if len(probabilities) else probabilities
