"""Scores, probabilities, and their calibration.

References
----------
[GUO17] Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017 (temperature scaling).
[PLA99] Platt, "Probabilistic outputs for support vector machines", 1999 (targets short of certainty).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Linear", "softmax", "temperature"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

COLDEST, HOTTEST = 0.2, 1e4  # temperatures; at the hottest all classes are about equally likely


@dataclass(frozen=True)
class Linear:
    """scores = features @ weights + bias.  weights : float32, (features, n_classes).  bias : float32, (n_classes,)."""

    weights: Floats
    bias: Floats

    def scores(self, features: Floats | Doubles) -> Doubles:
        """Shape (n, n_classes); their softmax are probabilities."""
        return (features @ self.weights + self.bias).astype(np.float64)


def softmax(scores: Doubles) -> Doubles:
    """Rows that sum to 1, shape as `scores`, (n, n_classes)."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def temperature(scores: Doubles, labels: Labels, sample_weight: Doubles) -> float:
    """The T that minimises the log loss of softmax(scores / T), between 0.2 and 10,000 [GUO17].

    `scores` must be of images the model has not learnt from.  If they are no better than chance, T is high and
    confidences are low.  Targets are slightly below 1, more so with fewer images [PLA99], so that a few lucky guesses
    do not lead to certainty.
    """
    from scipy.optimize import minimize_scalar  # half a second to import, and prediction does without

    n_classes = scores.shape[1]
    counts = np.bincount(labels, sample_weight, n_classes)[labels]
    doubt = 1 / (counts + 2)
    target = np.eye(n_classes)[labels] * (1 - doubt - doubt / (n_classes - 1))[:, None]
    target += (doubt / (n_classes - 1))[:, None]

    def loss(log_t: float) -> float:
        p = softmax(scores / np.exp(log_t))
        return float(-(np.log(np.maximum(p, 1e-300)) * target).sum(axis=1) @ sample_weight)

    # The loss is unimodal.
    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))
