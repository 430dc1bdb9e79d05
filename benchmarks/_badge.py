"""The badge that the drift watch replaced, as its peer: two-sample tests on the newest inferences at each look."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scones_core.domain.drift import DriftLevel

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
ENOUGH = 20  # minimum number of inferences
SIGNIFICANT = 0.005  # two tests at this level give false drift in at most 1 of 100 looks


@dataclass(frozen=True)
class Drift:
    """Recent inferences compared with the reference.

    ks: largest distance of the two confidence distribution functions, in [0, 1]; p_value: its two-sample test.
    class_shift: total variation distance of the predicted class shares, in [0, 1]; class_p_value: its test.
    """

    level: DriftLevel
    ks: float | None = None
    p_value: float | None = None
    class_shift: float | None = None
    class_p_value: float | None = None
    reference: int = 0
    recent: int = 0


def ks_distance(a: Floats, b: Floats) -> float:
    """Two-sample Kolmogorov-Smirnov statistic of two non-empty samples."""
    grid = np.sort(np.concatenate([a, b]))
    steps = [np.searchsorted(np.sort(sample), grid, side="right") / len(sample) for sample in (a, b)]
    return float(np.max(np.abs(steps[0] - steps[1])))


def ks_p_value(distance: float, n: int, m: int) -> float:
    """Asymptotic p-value of a two-sample KS distance.  Source: Stephens 1970, as in Numerical Recipes 14.3."""
    from scipy.special import kolmogorov  # takes half a second to import; most pages do not need it

    effective = math.sqrt(n * m / (n + m))
    return float(kolmogorov((effective + 0.12 + 0.11 / effective) * distance))


def class_shift(reference: Counts, recent: Counts) -> float:
    """Total variation distance of the shares of predicted classes; both are counts, shape (n_classes,)."""
    return float(np.abs(reference / reference.sum() - recent / recent.sum()).sum() / 2)


def class_p_value(reference: Counts, recent: Counts, *, draws: int = 4000) -> float:
    """Permutation test of the class shift: p-value of a split at least this uneven.

    Its smallest value is 1 / (draws + 1).  Source: Phipson & Smyth 2010.
    """
    both, observed = reference + recent, class_shift(reference, recent)
    drawn = np.random.default_rng(0).multivariate_hypergeometric(both, int(recent.sum()), size=draws)
    shares = drawn / recent.sum(), (both - drawn) / reference.sum()
    shifts = np.abs(shares[0] - shares[1]).sum(axis=1) / 2
    return float((1 + np.sum(shifts >= observed - 1e-12)) / (draws + 1))


def drift(
    reference: Floats, recent: Floats, reference_classes: Sequence[int], recent_classes: Sequence[int], *, classes: int
) -> Drift:
    """Compare confidences and predicted classes; drift if either test gives p < 0.005."""
    if min(len(reference), len(recent)) < ENOUGH:
        return Drift(DriftLevel.UNKNOWN, reference=len(reference), recent=len(recent))
    distance = ks_distance(reference, recent)
    p = ks_p_value(distance, len(reference), len(recent))
    counts = [np.bincount(np.asarray(c, dtype=int), minlength=classes) for c in (reference_classes, recent_classes)]
    shift_p = class_p_value(*counts)
    return Drift(
        level=DriftLevel.DRIFT if min(p, shift_p) < SIGNIFICANT else DriftLevel.NONE,
        ks=distance,
        p_value=p,
        class_shift=class_shift(*counts),
        class_p_value=shift_p,
        reference=len(reference),
        recent=len(recent),
    )
