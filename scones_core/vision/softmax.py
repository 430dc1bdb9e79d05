"""Multinomial logistic regression and its calibration.

References
----------
[GUO17] Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017 (temperature scaling).
[PLA99] Platt, "Probabilistic outputs for support vector machines", 1999 (targets short of certainty).
[LIU89] Liu, Nocedal, "On the limited memory BFGS method for large scale optimization", 1989.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Linear", "fit_linear", "softmax", "temperature"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

STOPPING = {"maxiter": 200, "ftol": 1e-5, "gtol": 1e-4, "maxcor": 20}  # closer than that, held-out loss stays the same
COLDEST, HOTTEST = 0.2, 1e4  # temperatures; at the hottest all classes are about equally likely


@dataclass(frozen=True)
class Linear:
    """scores = features @ weights + bias.  weights : float32, (features, n_classes).  bias : float32, (n_classes,)."""

    weights: Floats
    bias: Floats

    def scores(self, features: Floats) -> Doubles:
        """Shape (n, n_classes); their softmax are probabilities."""
        return (features @ self.weights + self.bias).astype(np.float64)


def softmax(scores: Doubles) -> Doubles:
    """Rows that sum to 1, shape as `scores`, (n, n_classes)."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def fit_linear(
    features: Floats,
    labels: Labels,
    n_classes: int,
    penalty: float,
    *,
    sample_weight: Doubles,
    start: Linear | None = None,
    on_iteration: Callable[[Linear], None] = lambda model: None,
) -> Linear:
    """Minimise the weighted mean log loss plus `penalty` / 2 times the squared weights, by L-BFGS [LIU89].

    features : (n, d), float32, about standardised.  sample_weight : (n,), not negative, not all 0.
    start : where to begin; zero by default.  on_iteration : given the model at the start and after each iteration.
    """
    from scipy.optimize import minimize  # half a second to import, and prediction does without

    d = features.shape[1]
    truth = np.eye(n_classes, dtype=np.float32)[labels]
    share = (sample_weight / sample_weight.sum()).astype(np.float32)[:, None]
    rows = np.arange(len(labels))

    def loss_and_gradient(flat: Doubles) -> tuple[float, Doubles]:
        model = _unflattened(flat, d)
        p = softmax(model.scores(features))
        losses = -np.log(np.maximum(p[rows, labels], 1e-30))
        residual = (p.astype(np.float32) - truth) * share
        gradient = np.vstack([features.T @ residual, residual.sum(axis=0)]).astype(np.float64)
        weights = flat.reshape(d + 1, -1)[:d]
        gradient[:d] += penalty * weights
        return float(losses @ share[:, 0]) + penalty / 2 * float(np.square(weights).sum()), gradient.ravel()

    first = np.zeros((d + 1, n_classes)) if start is None else np.vstack([start.weights, start.bias])

    def report(flat: Doubles) -> None:
        on_iteration(_unflattened(flat, d))

    report(first.ravel().astype(np.float64))
    found = minimize(loss_and_gradient, first.ravel(), jac=True, method="L-BFGS-B", callback=report, options=STOPPING)
    return _unflattened(found.x, d)


def temperature(scores: Doubles, labels: Labels, sample_weight: Doubles) -> float:
    """The T that minimises the log loss of softmax(scores / T), between 0.2 and 10,000 [GUO17].

    `scores` must be of images the model has not learnt from.  Where they are no better than chance, T is high and the
    probabilities come out humble.  The truth counts as a little less than certain, the less so the fewer images there
    are [PLA99]: a few lucky guesses are no reason for certainty.
    """
    n_classes = scores.shape[1]
    counts = np.bincount(labels, sample_weight, n_classes)[labels]
    doubt = 1 / (counts + 2)
    target = np.eye(n_classes)[labels] * (1 - doubt - doubt / (n_classes - 1))[:, None]
    target += (doubt / (n_classes - 1))[:, None]

    def loss(log_t: float) -> float:
        p = softmax(scores / np.exp(log_t))
        return float(-(np.log(np.maximum(p, 1e-300)) * target).sum(axis=1) @ sample_weight)

    grid = np.linspace(np.log(COLDEST), np.log(HOTTEST), 61)
    for _ in range(4):  # the loss has one valley: look at it ever closer
        best = grid[int(np.argmin([loss(t) for t in grid]))]
        step = grid[1] - grid[0]
        grid = np.clip(np.linspace(best - step, best + step, 21), np.log(COLDEST), np.log(HOTTEST))
    return float(np.exp(best))


def _unflattened(flat: Doubles, d: int) -> Linear:
    both = flat.reshape(d + 1, -1).astype(np.float32)
    return Linear(both[:d], both[d])
