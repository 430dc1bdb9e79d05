"""Cross-validation: penalty and temperature, chosen on held-out images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold

from scones_core.vision.options import Observer, Options
from scones_core.vision.parallel import in_order
from scones_core.vision.softmax import Linear, softmax, temperature

__all__ = ["Problem", "Selection", "cross_validate", "linear_of", "regression"]

Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

STOPPING = 1e-4  # the steepest slope left; closer than that, held-out loss stays the same
ITERATIONS = 200


@dataclass(frozen=True)
class Problem:
    """Labels and weights of the images to learn from; shapes (n,).

    groups : images of one group are held out together, (n,); None: each by itself.
    judged : the first so many are what held-out loss and temperature are measured on; None: all.
    """

    labels: Labels
    weights: Doubles
    n_classes: int
    groups: Labels | None = None
    judged: int | None = None

    def twice(self) -> "Problem":
        """With a changed copy of each image after the images: in its group, and not judged."""
        groups = np.arange(len(self.labels)) if self.groups is None else self.groups
        labels, weights = np.tile(self.labels, 2), np.tile(self.weights, 2)
        return Problem(labels, weights, self.n_classes, np.tile(groups, 2), len(self.labels))


@dataclass(frozen=True)
class Selection:
    """Result of cross-validation.

    probabilities : of each image judged, (n, n_classes), calibrated, by a model that did not learn from it.
    log_loss : of these, in nats.
    """

    penalty: float
    temperature: float
    probabilities: Doubles
    log_loss: float


def cross_validate(
    features: Doubles, task: Problem, options: Options, rng: np.random.Generator, observer: Observer
) -> Selection:
    """Choose penalty and temperature by the log loss of held-out images.

    features : (n, d).  What made them saw the pixels of the held-out images, but never a label.
    Every weight of `task` is above 0.
    """
    folds = list(_folds(task, options.folds, int(rng.integers(2**31))))
    observer.progress(f"Choosing among {len(options.penalties)} penalties by {len(folds)}-fold cross-validation")
    scores = np.zeros((len(options.penalties), len(features), task.n_classes))

    def held_out_scores(rows: Labels) -> list[Doubles]:
        # Held-out images get no weight instead of being left out: every class stays known, and no copy is made.
        weights = task.weights.copy()
        weights[rows] = 0
        return [model.scores(features[rows]) for model in _path(features, task, weights, options.penalties)]

    for fold, (rows, found) in enumerate(zip(folds, in_order(held_out_scores, folds), strict=True)):
        scores[:, rows] = found
        observer.progress(f"Fold {fold + 1} of {len(folds)} is done")
    choices = [_calibrated(penalty, s, task) for penalty, s in zip(options.penalties, scores, strict=True)]
    best = min(choices, key=lambda choice: choice.log_loss)
    observer.progress(f"Chose penalty {best.penalty:g} and temperature {best.temperature:.3f}")
    return best


def regression(penalty: float, weights: Doubles) -> Any:
    """Minimises the weighted mean log loss plus the penalty on squared weights."""
    strength = 1 / (penalty * weights.sum())
    return LogisticRegression(C=strength, tol=STOPPING, max_iter=ITERATIONS, warm_start=True)


def linear_of(machine: Any) -> Linear:
    """A fitted regression's weights; of two classes scikit-learn keeps the second's only."""
    weights, bias = machine.coef_.T, machine.intercept_
    if len(bias) == 1:
        weights, bias = np.hstack([-weights, weights]) / 2, np.hstack([-bias, bias]) / 2
    return Linear(weights.astype(np.float32), bias.astype(np.float32))


def _path(features: Doubles, task: Problem, weights: Doubles, penalties: Sequence[float]) -> Iterator[Linear]:
    """One model per penalty, each starting from the one before."""
    machine = regression(penalties[0], weights)
    for penalty in penalties:
        machine.set_params(C=regression(penalty, weights).C)
        yield linear_of(machine.fit(features, task.labels, weights))


def _calibrated(penalty: float, scores: Doubles, task: Problem) -> Selection:
    scores, labels, weights = scores[: task.judged], task.labels[: task.judged], task.weights[: task.judged]
    t = temperature(scores, labels, weights)
    p = softmax(scores / t)
    return Selection(penalty, t, p, log_loss(labels, p, sample_weight=weights, labels=range(task.n_classes)))


def _folds(task: Problem, folds: int, seed: int) -> Iterator[Labels]:
    """Positions of each fold's held-out images, classes spread evenly where one has a group for each fold."""
    groups = np.arange(len(task.labels)) if task.groups is None else task.groups
    # A group counts once, as what most of it shows; spreading group sizes as well takes longer than learning.
    names, group = np.unique(groups, return_inverse=True)
    shown = np.zeros((len(names), task.n_classes), np.int64)
    np.add.at(shown, (group, task.labels), 1)
    labels = shown.argmax(axis=1)
    splitter = StratifiedKFold if np.bincount(labels).max() >= folds else KFold
    found = splitter(min(folds, len(labels)), shuffle=True, random_state=seed).split(labels, labels)
    return (np.flatnonzero(np.isin(group, held)) for _, held in found)
