"""Calibration of a model on labelled images, with what chance allows.

References
----------
[NIC05] Niculescu-Mizil, Caruana, "Predicting good probabilities with supervised learning", ICML 2005 (the diagram).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scones_core.domain import metrics
from scones_core.domain.audit import ConfidenceBin, Estimate
from scones_core.domain.confidence import accuracy_interval, calibration_error_interval
from scones_core.domain.metrics import brier, calibration_floor, expected_calibration_error

BINS = 10
Z = 1.959963984540054  # the normal quantile of 97.5%


@dataclass(frozen=True)
class CalibrationFigures:
    """Calibration on `images` labelled images.

    ece, ece_interval : expected calibration error and its 95% interval.
    ece_by_chance : its 95% quantile for a perfectly calibrated model; a larger error indicates miscalibration.
    brier : mean squared error of the probabilities, summed over the classes.
    confidence_brier : mean squared error of the confidence as the probability of being right.
    bins : of equally many images, lowest confidence first.
    """

    images: int
    ece: float
    ece_interval: tuple[float, float]
    ece_by_chance: float
    brier: float
    confidence_brier: float
    bins: list[ConfidenceBin]


def calibration(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> CalibrationFigures:
    """labels : (n,), class indices.  probabilities : (n, classes).  Raises ValueError for none.  Source: [NIC05]."""
    confidences, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    ece = expected_calibration_error(labels, probabilities)
    return CalibrationFigures(
        images=len(labels),
        ece=ece,
        ece_interval=calibration_error_interval(ece, _deviations(confidences, correct)),
        ece_by_chance=calibration_floor(confidences).upper,
        brier=brier(labels, probabilities),
        confidence_brier=float(np.square(confidences - correct).mean()),
        bins=_bins(confidences, correct),
    )


def _deviations(confidences: NDArray[np.float64], correct: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Standard errors of the gaps that the calibration error is the sum of, shape (bins,).

    Of a few images that are all right, the variance seen is none: no less is assumed than calibrated ones would have.
    """
    order, n = np.argsort(confidences, kind="stable"), len(confidences)
    parts = np.array_split(order, min(metrics.BINS, n))
    seen = [len(part) ** 2 / max(1, len(part) - 1) * (correct[part] - confidences[part]).var() for part in parts]
    expected = [(confidences[part] * (1 - confidences[part])).sum() for part in parts]
    return np.sqrt(np.maximum(seen, expected)) / n


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
    in its answers to test images, and whether these are right, shape (n,).  The 95% interval allows for chance, and
    for the confidences' own error as far as the test images tell it; it holds only for images like these.
    """
    value, errors = confidences / inferences, correct - answers
    half = Z * (variances / inferences**2 + float(errors.var()) / len(errors)) ** 0.5
    return Estimate(value, (max(0.0, value - half), min(1.0, value + half)), 0, inferences)
