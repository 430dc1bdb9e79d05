"""Calibration of a model on labelled images, with what chance allows.

References
----------
[NIC05] Niculescu-Mizil, Caruana, "Predicting good probabilities with supervised learning", ICML 2005 (the diagram).
[EFR87] Efron, "Better bootstrap confidence intervals", JASA 82 (1987) (percentiles of resampled figures).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scones_core.domain.audit import ConfidenceBin, Estimate
from scones_core.domain.confidence import accuracy_interval
from scones_core.domain.metrics import brier, calibration_floor, expected_calibration_error

BINS = 10
DRAWS = 500
Z = 1.959963984540054  # the normal quantile of 97.5 %


@dataclass(frozen=True)
class CalibrationFigures:
    """Calibration on `images` labelled images.

    ece, ece_interval : expected calibration error and its 95 % bootstrap interval.
    ece_by_chance : its 95 % quantile for a perfectly calibrated model; a larger error indicates miscalibration.
    brier : mean squared error of the probabilities.  bins : of equally many images, lowest confidence first.
    """

    images: int
    ece: float
    ece_interval: tuple[float, float]
    ece_by_chance: float
    brier: float
    bins: list[ConfidenceBin]


def calibration(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> CalibrationFigures:
    """labels : (n,), class indices.  probabilities : (n, classes).  Raises ValueError for none.  Source: [NIC05]."""
    random, n = np.random.default_rng(0), len(labels)
    draws = (random.integers(n, size=n) for _ in range(DRAWS))
    errors = [expected_calibration_error(labels[rows], probabilities[rows]) for rows in draws]
    low, high = (float(end) for end in np.quantile(errors, [0.025, 0.975]))
    confidences = probabilities.max(axis=1)
    return CalibrationFigures(
        images=n,
        ece=expected_calibration_error(labels, probabilities),
        ece_interval=(low, high),
        ece_by_chance=calibration_floor(confidences).upper,
        brier=brier(labels, probabilities),
        bins=_bins(confidences, probabilities.argmax(axis=1) == labels),
    )


def _bins(confidences: NDArray[np.float64], correct: NDArray[np.bool_]) -> list[ConfidenceBin]:
    order = np.argsort(confidences, kind="stable")
    parts = [part for part in np.array_split(order, min(BINS, max(1, len(order) // 10))) if len(part)]
    found = []
    for part in parts:
        right, n = int(correct[part].sum()), len(part)
        estimate = Estimate(right / n, accuracy_interval(right, n), n, n)
        found.append(ConfidenceBin(float(confidences[part].mean()), estimate))
    return found


def expected_accuracy(
    inferences: int, confidences: float, variances: float, answers: NDArray[np.float64], correct: NDArray[np.bool_]
) -> Estimate:
    """Accuracy that confidences let expect, without labels: their mean.

    confidences, variances : sums of c and of c (1 - c) of the inferences.  answers, correct : the model's confidences
    in its answers to test images, and whether these are right, shape (n,).  The 95 % interval allows for chance, and
    for the confidences' own error as far as the test images tell it; it holds only for images like these.
    """
    value, errors = confidences / inferences, correct - answers
    half = Z * (variances / inferences**2 + float(errors.var()) / len(errors)) ** 0.5
    return Estimate(value, (max(0.0, value - half), min(1.0, value + half)), 0, inferences)
