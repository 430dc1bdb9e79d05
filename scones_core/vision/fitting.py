"""Training: words from the pixels, weights from the labels, temperature from held-out images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scones_core.domain.metrics import Metrics, accuracy, evaluate, log_loss
from scones_core.errors import BadInput
from scones_core.vision.classifier import Classifier
from scones_core.vision.dictionary import Dictionary, learn
from scones_core.vision.features import features_of, read_pixels
from scones_core.vision.kernel import coordinates, standardise
from scones_core.vision.options import MOST_CLASSES, Observer, Options
from scones_core.vision.parallel import one_blas_thread
from scones_core.vision.selection import Task, cross_validate
from scones_core.vision.softmax import Linear, fit_linear, softmax

__all__ = ["fit"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

SAMPLE = 2_000  # images whose patches the words are learnt from, however many there are
REPORTS = 20  # lines of progress while features are computed


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
    if seed < 0:
        raise BadInput(f"The seed {seed} is negative; give a whole number of 0 or more.")
    task = _checked(len(images), labels, classes, sample_weight)
    held_out = None if validation is None else _checked_validation(*validation, classes)
    rng = np.random.default_rng(seed)
    with one_blas_thread():
        dictionaries = _dictionaries(images, side, options, rng, observer)
        features = _features(images, side, dictionaries, observer, "train")
        kernel = standardise(features, rng)
        found, basis, offset = coordinates(features, kernel)
        choice = cross_validate(found, task, options, rng, observer)
        watch = _Curve(choice.temperature, observer, [("train", found, task.labels)])
        if held_out is not None:
            place = kernel.similarity(_features(held_out[0], side, dictionaries, observer, "validation"))
            watch.parts.append(("validation", place @ basis - offset, held_out[1]))
        linear = fit_linear(
            found, task.labels, task.n_classes, choice.penalty, sample_weight=task.weights, on_iteration=watch
        )
        whole = Linear(basis @ linear.weights, linear.bias - offset @ linear.weights)
        watch.finish(linear)
    metrics = evaluate(task.labels, choice.probabilities)
    _report("cross_validated", metrics, ("accuracy", "log_loss", "ece", "brier"), observer)
    facts = {"seed": seed, "images": len(images), "penalty": choice.penalty, "cross_validated": metrics.as_dict()}
    return Classifier(tuple(classes), side, tuple(dictionaries), kernel, whole, choice.temperature, facts)


def _checked(n: int, labels: Sequence[int], classes: Sequence[str], sample_weight: Sequence[float] | None) -> Task:
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
    return Task(indices, weights, len(classes))


def _checked_validation(
    images: Sequence[bytes], labels: Sequence[int], classes: Sequence[str]
) -> tuple[Sequence[bytes], Labels]:
    indices = np.asarray(labels, dtype=np.int64).reshape(len(labels))
    if len(images) != len(indices) or len(indices) == 0:
        raise BadInput(f"There are {len(images)} validation images and {len(indices)} labels; give one label to each.")
    if not (indices.min() >= 0 and indices.max() < len(classes)):
        raise BadInput(f"A validation label is not one of the class indices 0 to {len(classes) - 1}; correct it.")
    return images, indices


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
