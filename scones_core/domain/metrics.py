"""Evaluation metrics of a classifier's probabilities: pure functions on arrays, no I/O.

Everywhere: `labels` is int, shape (n,), class indices in 0 … n_classes − 1;
`probabilities` is float, shape (n, n_classes), rows summing to 1.

References
----------
[BRI50] Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78 (1950).
[NAE15] Naeini, Cooper, Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.
[NIX19] Nixon et al., "Measuring calibration in deep learning", CVPR workshops 2019 (equal-mass bins).
[BRO07] Bröcker, Smith, "Increasing the reliability of reliability diagrams", Weather and Forecasting 22 (2007).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "CalibrationFloor",
    "Metrics",
    "accuracy",
    "balanced_accuracy",
    "brier",
    "calibration_floor",
    "confusion_matrix",
    "evaluate",
    "expected_calibration_error",
    "log_loss",
    "recalls",
]

Labels = npt.NDArray[np.integer[Any]]
Probabilities = npt.NDArray[np.floating[Any]]

BINS = 15
AT_ONCE = 1_000_000  # simulated answers held in memory
SMALLEST = 1e-15  # a probability of 0 for the true class costs 34.5 nats, not infinity


@dataclass(frozen=True)
class Metrics:
    """Figures of one evaluation; `confusion[i][j]` counts images of class i predicted as class j.

    recall : of each class, None where there is no image of it; balanced_accuracy : their mean.
    """

    accuracy: float
    log_loss: float
    ece: float
    brier: float
    confusion: list[list[int]]
    recall: list[float | None]
    balanced_accuracy: float

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values, under the field names."""
        return asdict(self)


def evaluate(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> Metrics:
    """All figures at once.

    Raises ValueError if the shapes do not match, there is no row, or a label is not a column index.
    """
    true, p = _checked(labels, probabilities)
    confusion = confusion_matrix(true, p).tolist()
    return Metrics(
        accuracy=accuracy(true, p),
        log_loss=log_loss(true, p),
        ece=expected_calibration_error(true, p),
        brier=brier(true, p),
        confusion=confusion,
        recall=recalls(confusion),
        balanced_accuracy=balanced_accuracy(confusion),
    )


def accuracy(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Share of rows whose largest probability is the true class's, in [0, 1]; a tie goes to the lower index."""
    true, p = _checked(labels, probabilities)
    return float(np.mean(p.argmax(axis=1) == true))


def log_loss(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Mean of −ln(probability of the true class), in nats; 0 is perfect, ln(n_classes) is a uniform guess."""
    true, p = _checked(labels, probabilities)
    return float(-np.log(np.maximum(p[np.arange(len(true)), true], SMALLEST)).mean()) + 0.0  # no negative zero


def brier(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Mean squared distance to the one-hot truth, summed over all classes, in [0, 2].

    This is Brier's own multi-class form [BRI50]; for two classes it is twice the usual binary score.
    """
    true, p = _checked(labels, probabilities)
    return float(np.square(p - np.eye(p.shape[1])[true]).sum(axis=1).mean())


def expected_calibration_error(labels: npt.ArrayLike, probabilities: npt.ArrayLike, bins: int = BINS) -> float:
    """Mean gap between confidence and accuracy, over bins that hold equally many rows, in [0, 1].

    Rows are ordered by confidence (the largest probability) and cut into `bins` runs whose sizes differ by one at
    most; with fewer rows than bins, each row is its own bin.  Source: [NAE15] for the measure, [NIX19] for the bins.
    Finite samples bias it upwards: a perfectly calibrated model scores above 0, see `calibration_floor`.
    """
    true, p = _checked(labels, probabilities)
    confidence = p.max(axis=1)
    # Equal confidences keep their given order: the figure depends on nothing but the input.
    order = np.argsort(confidence, kind="stable")
    gaps = (confidence - (p.argmax(axis=1) == true))[order]
    return float(_mean_gap(gaps[np.newaxis], bins)[0])


@dataclass(frozen=True)
class CalibrationFloor:
    """Calibration error of a perfectly calibrated model on the same number of images, by chance.

    mean: its mean.  upper: its 95% quantile; a larger error indicates miscalibration.
    """

    mean: float
    upper: float


def calibration_floor(confidences: npt.ArrayLike, bins: int = BINS, *, draws: int = 1000) -> CalibrationFloor:
    """`expected_calibration_error` of a perfectly calibrated model with these confidences.

    confidences : the largest probabilities, shape (n,).  The same confidences always give the same floor: each is right
    or wrong by draws of a fixed seed.  Raises ValueError when there is none.  Source: consistency bars of [BRO07].
    """
    confidence = np.sort(np.asarray(confidences, dtype=np.float64))
    if confidence.ndim != 1 or len(confidence) == 0:
        raise ValueError(f"confidences of shape {confidence.shape} are not a list of one or more")
    rng, at_once = np.random.default_rng(0), max(1, AT_ONCE // len(confidence))
    found = [
        _mean_gap(confidence - (rng.random((min(at_once, draws - first), len(confidence))) < confidence), bins)
        for first in range(0, draws, at_once)
    ]
    errors = np.concatenate(found)
    return CalibrationFloor(float(errors.mean()), float(np.quantile(errors, 0.95)))


def _mean_gap(gaps: npt.NDArray[np.float64], bins: int) -> npt.NDArray[np.float64]:
    """Per row of `gaps`, in order of confidence: their mean size, each first averaged over its bin."""
    n = gaps.shape[1]
    starts = [part[0] for part in np.array_split(np.arange(n), min(bins, n))]
    found: npt.NDArray[np.float64] = np.abs(np.add.reduceat(gaps, starts, axis=1)).sum(axis=1) / n
    return found


def confusion_matrix(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Counts, shape (n_classes, n_classes): row = true class, column = predicted class."""
    true, p = _checked(labels, probabilities)
    k = p.shape[1]
    return np.bincount(true * k + p.argmax(axis=1), minlength=k * k).reshape(k, k).astype(np.int64)


def recalls(confusion: Sequence[Sequence[int]]) -> list[float | None]:
    """Share of the images of each class that were predicted as it; None where there is no image of it."""
    return [row[i] / sum(row) if sum(row) else None for i, row in enumerate(confusion)]


def balanced_accuracy(confusion: Sequence[Sequence[int]]) -> float:
    """Mean recall of the classes that have images, in [0, 1]: rare classes count as much as frequent ones."""
    found = [recall for recall in recalls(confusion) if recall is not None]
    return sum(found) / len(found)


def _checked(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> tuple[Labels, Probabilities]:
    true, p = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    if true.ndim != 1 or p.ndim != 2 or len(true) != len(p) or len(true) == 0:
        raise ValueError(f"labels of shape {true.shape} do not fit probabilities of shape {p.shape}")
    if not np.issubdtype(true.dtype, np.integer) or true.min() < 0 or true.max() >= p.shape[1]:
        raise ValueError(f"labels must be class indices from 0 to {p.shape[1] - 1}")
    return true, p
