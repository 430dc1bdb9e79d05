"""Training: words from the pixels, weights from the labels, temperature from held-out images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scones_core.domain.metrics import Metrics, accuracy, evaluate, log_loss
from scones_core.errors import BadInput
from scones_core.vision.classifier import Classifier
from scones_core.vision.dictionary import Dictionary, learn
from scones_core.vision.features import features_of, read_pixels
from scones_core.vision.options import MOST_CLASSES, Observer, Options
from scones_core.vision.parallel import in_order, one_blas_thread
from scones_core.vision.softmax import Linear, fit_linear, softmax, temperature

__all__ = ["fit"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

SAMPLE = 2_000  # images whose patches the words are learnt from, however many there are
NORM = 30.0  # root mean square length of a feature vector; the penalties are relative to it
REPORTS = 20  # lines of progress while features are computed


@dataclass(frozen=True)
class _Task:
    """Labels and weights of the images to learn from; shapes (n,)."""

    labels: Labels
    weights: Doubles
    n_classes: int


@dataclass(frozen=True)
class _Choice:
    """What cross-validation settles. scores: of held-out images, (n, n_classes), before the temperature."""

    penalty: float
    temperature: float
    scores: Doubles
    loss: float


def fit(
    images: Sequence[bytes],
    labels: Sequence[int],
    classes: Sequence[str],
    seed: int,
    side: int,
    options: Options,
    sample_weight: Sequence[float] | None,
    validation: tuple[Sequence[bytes], Sequence[int]] | None,
    observer: Observer,
) -> Classifier:
    """See `Classifier.fit`."""
    options.check(side)
    task = _checked(len(images), labels, classes, sample_weight)
    rng = np.random.default_rng(seed)
    with one_blas_thread():
        dictionaries = _dictionaries(images, side, options, rng, observer)
        features = _features(images, side, dictionaries, observer, "train")
        centre, scale = _standardise(features)
        choice = _cross_validate(features, task, options, rng, observer)
        watch = _Curve(choice.temperature, observer, [("train", features, task.labels)])
        if validation is not None:
            held = (_features(validation[0], side, dictionaries, observer, "validation") - centre) / scale
            watch.parts.append(("validation", held, np.asarray(validation[1], dtype=np.int64)))
        linear = fit_linear(
            features, task.labels, task.n_classes, choice.penalty, sample_weight=task.weights, on_iteration=watch
        )
    watch.finish(linear)
    metrics = evaluate(task.labels, softmax(choice.scores / choice.temperature))
    _report("cross_validated", metrics, ("accuracy", "log_loss", "ece", "brier"), observer)
    facts = {"seed": seed, "images": len(images), "penalty": choice.penalty, "cross_validated": metrics.as_dict()}
    return Classifier(
        tuple(classes), side, tuple(dictionaries), _unscaled(linear, centre, scale), choice.temperature, facts
    )


def _checked(n: int, labels: Sequence[int], classes: Sequence[str], sample_weight: Sequence[float] | None) -> _Task:
    if not 2 <= len(classes) <= MOST_CLASSES or len(set(classes)) != len(classes):
        raise BadInput(f"Give 2 to {MOST_CLASSES} classes with different names; there are {len(classes)}.")
    if len(labels) != n or (sample_weight is not None and len(sample_weight) != n):
        raise BadInput(
            f"There are {n} images but {len(labels)} labels; give one label, and at most one weight, to each."
        )
    indices = np.asarray(labels, dtype=np.int64).reshape(n)
    weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64).reshape(n)
    if n and not (indices.min() >= 0 and indices.max() < len(classes)):
        raise BadInput(f"A label is not one of the class indices 0 to {len(classes) - 1}; correct the labels.")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise BadInput("A sample weight is negative or not a number; give weights of 0 or more.")
    counts = np.bincount(indices[weights > 0], minlength=len(classes))
    empty = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    if empty:
        raise BadInput(f"No training image shows {', '.join(empty)}; add images of it or leave the class out.")
    return _Task(indices, weights, len(classes))


def _dictionaries(
    images: Sequence[bytes], side: int, options: Options, rng: np.random.Generator, observer: Observer
) -> list[Dictionary]:
    sample = np.sort(rng.choice(len(images), min(len(images), SAMPLE), replace=False))
    observer.progress(f"Learning visual words from {len(sample)} of {len(images)} images")
    seen = read_pixels(images, [int(i) for i in sample], side)
    dictionaries = []
    for block in options.blocks:
        dictionaries.append(learn(seen, block, rng))
        observer.progress(f"Learnt {block.words} words for patches of {block.patch} × {block.patch} pixels")
    return dictionaries


def _features(
    images: Sequence[bytes], side: int, dictionaries: Sequence[Dictionary], observer: Observer, channel: str
) -> Floats:
    """All features, float32, (n, d): the one array whose size grows with the dataset."""
    features = np.empty((len(images), sum(dictionary.block.width for dictionary in dictionaries)), np.float32)
    done, next_report = 0, 0.0
    for chunk in features_of(images, side, dictionaries):
        features[done : done + len(chunk)] = chunk
        done += len(chunk)
        if done >= next_report or done == len(images):
            observer.metric(f"{channel}:features", done)
            next_report = done + len(images) / REPORTS
    return features


def _standardise(features: Floats) -> tuple[Floats, Floats]:
    """Centre and scale in place, so that lengths are NORM in the root mean square; gives the two vectors used."""
    centre = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    features -= centre
    variance = np.einsum("ij,ij->j", features, features, dtype=np.float64) / len(features)
    floor = 1e-4 * variance.mean() + 1e-12  # a feature that hardly varies is not blown up into noise
    scale = (np.sqrt((variance + floor) * len(variance)) / NORM).astype(np.float32)
    features /= scale
    return centre, scale


def _cross_validate(
    features: Floats, task: _Task, options: Options, rng: np.random.Generator, observer: Observer
) -> _Choice:
    """Choose penalty and temperature by the log loss of held-out images.

    Words and scaling saw the pixels of the held-out images, but never a label.
    """
    folds = _folds(task, options.folds, rng)
    count = int(folds.max()) + 1
    observer.progress(f"Choosing among {len(options.penalties)} penalties by {count}-fold cross-validation")
    scores = np.zeros((len(options.penalties), len(features), task.n_classes))

    def held_out_scores(fold: int) -> list[Doubles]:
        # Held-out images get no weight instead of being left out: a copy would double the memory.
        weights = np.where(folds == fold, 0.0, task.weights)
        models = _path(features, task, weights, options.penalties)
        return [model.scores(features[folds == fold]) for model in models]

    for fold, found in enumerate(in_order(held_out_scores, range(count))):
        scores[:, folds == fold] = found
        observer.progress(f"Fold {fold + 1} of {count} is done")
    choices = [_calibrated(penalty, s, task) for penalty, s in zip(options.penalties, scores, strict=True)]
    best = min(choices, key=lambda choice: choice.loss)
    observer.progress(f"Chose penalty {best.penalty:g} and temperature {best.temperature:.3f}")
    return best


def _path(features: Floats, task: _Task, weights: Doubles, penalties: Sequence[float]) -> Iterator[Linear]:
    """One model per penalty, each starting from the one before."""
    model: Linear | None = None
    for penalty in penalties:
        model = fit_linear(features, task.labels, task.n_classes, penalty, sample_weight=weights, start=model)
        yield model


def _calibrated(penalty: float, scores: Doubles, task: _Task) -> _Choice:
    t = temperature(scores, task.labels, task.weights)
    loss = -np.log(softmax(scores / t)[np.arange(len(scores)), task.labels] + 1e-300) @ task.weights
    return _Choice(penalty, t, scores, float(loss))


def _folds(task: _Task, folds: int, rng: np.random.Generator) -> Labels:
    """Fold of each image, (n,): classes are spread evenly, and every fold holds an image that counts."""
    folds = min(folds, int(np.count_nonzero(task.weights)))
    shuffled = rng.permutation(len(task.labels))
    # Sorted by class, those without weight last, and dealt out like cards.
    order = shuffled[np.lexsort((task.labels[shuffled], task.weights[shuffled] == 0))]
    dealt = np.empty(len(order), dtype=np.int64)
    dealt[order] = np.arange(len(order)) % folds
    return dealt


def _unscaled(linear: Linear, centre: Floats, scale: Floats) -> Linear:
    """The same model for features as they come."""
    weights = linear.weights / scale[:, None]
    return Linear(weights, linear.bias - centre @ weights)


@dataclass
class _Curve:
    """Reports log loss and accuracy after each iteration of the optimiser."""

    temperature: float
    observer: Observer
    parts: list[tuple[str, Floats, Labels]]

    def __call__(self, linear: Linear) -> None:
        for name, features, labels in self.parts:
            p = softmax(linear.scores(features) / self.temperature)
            self.observer.metric(f"{name}:log_loss", log_loss(labels, p))
            self.observer.metric(f"{name}:accuracy", accuracy(labels, p))

    def finish(self, linear: Linear) -> None:
        for name, features, labels in self.parts:
            metrics = evaluate(labels, softmax(linear.scores(features) / self.temperature))
            _report(name, metrics, ("ece", "brier"), self.observer)


def _report(part: str, metrics: Metrics, names: Sequence[str], observer: Observer) -> None:
    for name in names:
        observer.metric(f"{part}:{name}", getattr(metrics, name))
