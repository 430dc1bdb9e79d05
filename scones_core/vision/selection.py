"""Cross-validation: the penalty, and how confident the classifier may be, from images it has not learnt from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scones_core.vision.options import Observer, Options
from scones_core.vision.parallel import in_order
from scones_core.vision.softmax import Linear, fit_linear, softmax, temperature

__all__ = ["Choice", "Task", "cross_validate"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Task:
    """Labels and weights of the images to learn from; shapes (n,)."""

    labels: Labels
    weights: Doubles
    n_classes: int


@dataclass(frozen=True)
class Choice:
    """What cross-validation settles.

    probabilities : of each image, (n, n_classes), calibrated, by a model that did not learn from it.
    log_loss : of these, in nats.
    """

    penalty: float
    temperature: float
    probabilities: Doubles
    log_loss: float


def cross_validate(
    features: Floats, task: Task, options: Options, rng: np.random.Generator, observer: Observer
) -> Choice:
    """Choose penalty and temperature by the log loss of held-out images.

    features : (n, d).  What made them saw the pixels of the held-out images, but never a label.
    """
    folds = _folds(task, options.folds, rng)
    count = int(folds.max()) + 1
    observer.progress(f"Choosing among {len(options.penalties)} penalties by {count}-fold cross-validation")
    scores = np.zeros((len(options.penalties), len(features), task.n_classes))

    def held_out_scores(fold: int) -> list[Doubles]:
        # Held-out images get no weight instead of being left out: a copy would double the memory.
        weights = np.where(folds == fold, 0.0, task.weights)
        return [model.scores(features[folds == fold]) for model in _path(features, task, weights, options.penalties)]

    for fold, found in enumerate(in_order(held_out_scores, range(count))):
        scores[:, folds == fold] = found
        observer.progress(f"Fold {fold + 1} of {count} is done")
    choices = [_calibrated(penalty, s, task) for penalty, s in zip(options.penalties, scores, strict=True)]
    best = min(choices, key=lambda choice: choice.log_loss)
    observer.progress(f"Chose penalty {best.penalty:g} and temperature {best.temperature:.3f}")
    return best


def _path(features: Floats, task: Task, weights: Doubles, penalties: Sequence[float]) -> Iterator[Linear]:
    """One model per penalty, each starting from the one before."""
    model: Linear | None = None
    for penalty in penalties:
        model = fit_linear(features, task.labels, task.n_classes, penalty, sample_weight=weights, start=model)
        yield model


def _calibrated(penalty: float, scores: Doubles, task: Task) -> Choice:
    t = temperature(scores, task.labels, task.weights)
    p = softmax(scores / t)
    losses = -np.log(np.maximum(p[np.arange(len(p)), task.labels], 1e-300))
    return Choice(penalty, t, p, float(np.average(losses, weights=task.weights)))


def _folds(task: Task, folds: int, rng: np.random.Generator) -> Labels:
    """Fold of each image, (n,): classes are spread evenly, and every fold holds an image that counts."""
    folds = min(folds, int(np.count_nonzero(task.weights)))
    shuffled = rng.permutation(len(task.labels))
    # Sorted by class, those without weight last, and dealt out like cards.
    order = shuffled[np.lexsort((task.labels[shuffled], task.weights[shuffled] == 0))]
    dealt = np.empty(len(order), dtype=np.int64)
    dealt[order] = np.arange(len(order)) % folds
    return dealt
