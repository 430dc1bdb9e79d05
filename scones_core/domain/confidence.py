"""Confidence, threshold, coverage and risk."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

DEFAULT_THRESHOLD = 0.93  # default
THRESHOLDS = tuple(round(0.99 - 0.01 * step, 2) for step in range(50))  # tried for a promise, in this order

Floats = NDArray[np.float64]


def is_low(confidence: float, threshold: float) -> bool:
    """An inference is accepted only when its confidence exceeds the threshold."""
    return confidence <= threshold


def steady(low: Sequence[int], of: Sequence[int]) -> bool:
    """Whether shares low/of of several periods differ by no more than chance would make them, at level 0.01.

    Half of the level for Pearson's chi-squared test of homogeneity, which sees many small differences (its distribution
    by Wilson & Hilferty 1931), half for the period that differs most (Bonferroni's bound).
    """
    n = np.asarray(of, dtype=float)
    share = sum(low) / n.sum() if len(n) else 0.0
    if len(n) < 2 or share in (0.0, 1.0):
        return True
    differences = (np.asarray(low) - n * share) / np.sqrt(n * share * (1 - share))
    most = NormalDist().inv_cdf(1 - 0.0025 / len(n))
    part = 2 / (9 * (len(n) - 1))
    together = (float(np.square(differences).sum()) / (len(n) - 1)) ** (1 / 3) - (1 - part)
    return bool(np.abs(differences).max() < most and together < NormalDist().inv_cdf(0.995) * part**0.5)


def coverage(confidences: Floats, threshold: float) -> float:
    """Share of inferences accepted at `threshold`, in [0, 1]; 0.0 for none.  Source: Geifman & El-Yaniv 2017, eq. 2."""
    return float(np.mean(confidences > threshold)) if len(confidences) else 0.0


def risk_upper_bound(errors: int, accepted: int, confidence: float) -> float:
    """One-sided upper bound of an error rate after `errors` among `accepted`, at level `confidence` in (0, 1).

    The largest rate at which so few errors still have probability 1 - confidence; 1.0 if nothing was accepted.
    Source: Clopper & Pearson 1934.
    """
    if errors >= accepted:
        return 1.0
    return _beta_quantile(errors + 1, accepted - errors, confidence)


def accuracy_interval(correct: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of an accuracy, `correct` of `n`, that holds it with probability `level` in (0, 1) or more.

    Each end is missed with probability (1 - level) / 2 at most; (0.0, 1.0) for n = 0.  Source: Clopper & Pearson 1934.
    Raises ValueError unless 0 <= correct <= n.
    """
    if not 0 <= correct <= n:
        raise ValueError(f"{correct} of {n} images cannot be right")
    return share_interval(correct / n, n, level) if n else (0.0, 1.0)


def share_interval(share: float, n: float, level: float) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share in [0, 1] seen in `n` cases, which need not be a whole number."""
    beyond, hits = (1 - level) / 2, share * n
    low = _beta_quantile(hits, n - hits + 1, beyond) if hits > 0.01 else 0.0  # less than 1e-100
    high = _beta_quantile(hits + 1, n - hits, 1 - beyond) if hits < n else 1.0
    return low, high


def calibration_error_interval(error: float, deviations: Floats) -> tuple[float, float]:
    """95% interval of a calibration error, in [0, 1].

    deviations : standard error of each bin's gap between confidence and accuracy, times the bin's share, (bins,).
    A sum of gaps' sizes cannot be too high by more than the sum of their errors' sizes (simulated, normal), nor too low
    by more than the error of their signed sum; resampling, which adds noise to noise, gives intervals above the truth.
    """
    errors = np.abs(np.random.default_rng(0).standard_normal((2_000, len(deviations)))) @ deviations
    above = NormalDist().inv_cdf(0.975) * float(np.sqrt(np.square(deviations).sum()))
    return max(0.0, error - float(np.quantile(errors, 0.975))), min(1.0, error + above)


def _beta_quantile(a: float, b: float, probability: float) -> float:
    from scipy.special import betaincinv  # takes half a second to import; most pages and commands do not need it

    return float(betaincinv(a, b, probability))


@dataclass(frozen=True)
class ThresholdFigures:
    """Effect of a threshold on labelled inferences. risk: error rate of accepted ones; None if none is accepted."""

    threshold: float
    coverage: float
    risk: float | None
    risk_upper_bound: float
    labels_used: int


def figures_at(threshold: float, confidences: Floats, correct: NDArray[np.bool_], level: float) -> ThresholdFigures:
    """Coverage, selective risk and its upper bound at `level`; both arrays have shape (n,)."""
    accepted = confidences > threshold
    count, errors = int(accepted.sum()), int((accepted & ~correct).sum())
    return ThresholdFigures(
        threshold=threshold,
        coverage=coverage(confidences, threshold),
        risk=errors / count if count else None,
        risk_upper_bound=risk_upper_bound(errors, count, level),
        labels_used=len(confidences),
    )


def propose_threshold(
    confidences: Floats, correct: NDArray[np.bool_], *, max_risk: float, level: float
) -> ThresholdFigures | None:
    """The lowest threshold whose risk bound holds, walking down from .99 to .50 by .01 while every step holds.

    Walking in a fixed order and stopping at the first failure keeps the joint level without a correction; thresholds
    with too few accepted labels to hold at any error count are skipped. None if no threshold holds.
    Source: Geifman & El-Yaniv 2017 (SGR); fixed-sequence testing: Angelopoulos et al. 2021, "Learn then test".
    """
    found: ThresholdFigures | None = None
    for threshold in THRESHOLDS:
        figures = figures_at(threshold, confidences, correct, level)
        accepted = int((confidences > threshold).sum())
        if risk_upper_bound(0, accepted, level) > max_risk:
            continue
        if figures.risk_upper_bound > max_risk:
            break
        found = figures
    return found
