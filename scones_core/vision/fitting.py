"""Training: words from the pixels, weights from the labels, temperature from held-out images."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from scones_core.domain.metrics import Metrics, accuracy, evaluate, log_loss
from scones_core.errors import BadInput
from scones_core.vision.augmentation import ChangedCopies
from scones_core.vision.classifier import Classifier
from scones_core.vision.coordinates import Coordinates
from scones_core.vision.dictionary import Block, Dictionary, learn
from scones_core.vision.extractor import Extractor, extractor, missing
from scones_core.vision.features import NOTHING_KNOWN, Encoder, Known, greys, read_pixels
from scones_core.vision.near_duplicates import SIDE as PICTURE
from scones_core.vision.near_duplicates import Groups, View, near_duplicates
from scones_core.vision.options import DEFAULTS, MOST_CLASSES, Observer, Options
from scones_core.vision.parallel import one_blas_thread
from scones_core.vision.selection import Problem, Selection, cross_validate, linear_of, regression
from scones_core.vision.softmax import Linear, softmax

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
    *,
    seed: int = 0,
    side: int = 32,
    options: Options = DEFAULTS,
    sample_weight: Sequence[float] | None = None,
    validation: tuple[Sequence[bytes], Sequence[int]] | None = None,
    observer: Observer | None = None,
    known: Known = NOTHING_KNOWN,
) -> Classifier:
    """Train on PNG, JPEG or WebP files; the same input and seed give the same model, byte for byte.

    images : read one by one, so a lazy sequence works.
    labels : class indices, 0 … len(classes) − 1.
    sample_weight : how much each image counts, not negative; all alike by default.
    validation : further images and labels, used only to report figures.
    known : embeddings computed before, by SHA-256 of the image file.
    Raises BadInput, with BadImage naming the position of a file that cannot be read.
    """
    observer = observer or Observer()
    options.check(side)
    if seed < 0:
        raise BadInput(f"The seed {seed} is negative; give a whole number of 0 or more.")
    task = _checked(len(images), labels, classes, sample_weight)
    if options.balanced:
        task = replace(task, weights=task.weights * _class_weights(task)[task.labels])
    held_out = None if validation is None else _checked_validation(*validation, classes)
    used = np.flatnonzero(task.weights > 0)
    rng = np.random.default_rng(seed)
    with _alone():
        network = _network(options, observer)
        blocks = options.scales(embedding=network is not None)
        encoder = Encoder(side, _dictionaries(images, side, blocks, rng, observer), network)
        features = _features(images, encoder, known, observer, "train")[used]
        groups = _groups(features, images, used, encoder, options.folds)
        task = Problem(task.labels[used], task.weights[used], task.n_classes, groups.group, len(used))
        if options.changed_copies:
            copies = _features(ChangedCopies(images, seed), encoder, {}, observer, "copies")[used]
            features, task = np.concatenate([features, copies]), task.twice()
        coordinates = Coordinates(features, rng)
        found = coordinates(features)
        del features  # the larger of the two arrays that grow with the dataset
        choice = cross_validate(found, task, options, rng, observer)
        parts = [("train", found[: len(used)], task.labels[: len(used)])]
        if held_out is not None:
            place = coordinates(_features(held_out[0], encoder, known, observer, "validation"))
            parts.append(("validation", place, held_out[1]))
        linear = _fitted(found, task, choice, _Curve(choice.temperature, observer, parts))
    metrics = evaluate(task.labels[: len(used)], choice.probabilities)
    _report("cross_validated", metrics, ("accuracy", "log_loss", "ece", "brier"), observer)
    facts = {
        "seed": seed,
        "images": len(images),
        "penalty": choice.penalty,
        "cross_validated": metrics.as_dict(),
        "near_duplicates": {"images": groups.repeated, "held_out_together": groups.complete},
    }
    answers = np.full((len(images), len(classes)), np.nan, np.float32)
    answers[used] = choice.probabilities
    kernel, whole = coordinates.kernel, coordinates.folded(linear)
    return Classifier(tuple(classes), encoder, kernel, whole, choice.temperature, facts, answers)


def _fitted(features: Doubles, task: Problem, choice: Selection, curve: "_Curve") -> Linear:
    nothing = np.zeros((features.shape[1] + 1, task.n_classes), np.float32)
    curve.report(Linear(nothing[1:], nothing[0]))  # where the optimiser starts
    machine = regression(choice.penalty, task.weights).set_callbacks(curve)
    linear = linear_of(machine.fit(features, task.labels, task.weights))
    curve.finish(linear)
    return linear


@contextmanager
def _alone() -> Iterator[None]:
    """One thread for the libraries, BLAS and OpenMP, and no warning where the optimiser stops early or finds little."""
    one_blas_thread()
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of images that are all alike, or of a handful
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)  # has fewer images than folds
        yield


def _groups(features: Floats, images: Sequence[bytes], used: Labels, encoder: Encoder, folds: int) -> Groups:
    views = [View(features[:, : encoder.words], alike=0.9, similar=0.6)]
    if encoder.extractor:
        views.append(View(features[:, encoder.words :], alike=0.8, similar=0.5))
    return near_duplicates(views, greys(images, used.tolist(), PICTURE), max(1, len(used) // (2 * folds)))


def _checked(n: int, labels: Sequence[int], classes: Sequence[str], sample_weight: Sequence[float] | None) -> Problem:
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
    return Problem(indices, weights, len(classes))


def _class_weights(task: Problem) -> Doubles:
    """A weight per class, so that each class weighs as much as any other, and all together as before."""
    sums = np.bincount(task.labels, task.weights, task.n_classes)
    return np.asarray(sums.sum() / (task.n_classes * sums))


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
    images: Sequence[bytes], side: int, blocks: Sequence[Block], rng: np.random.Generator, observer: Observer
) -> tuple[Dictionary, ...]:
    sample = np.sort(rng.choice(len(images), min(len(images), SAMPLE), replace=False))
    observer.progress(f"Learning visual words from {len(sample)} of {len(images)} images")
    seen = read_pixels(images, [int(i) for i in sample], side)
    dictionaries = []
    for block in blocks:
        dictionaries.append(learn(seen, block, rng))
        observer.progress(f"Learnt {block.words} words for patches of {block.patch} × {block.patch} pixels")
    return tuple(dictionaries)


def _network(options: Options, observer: Observer) -> Extractor | None:
    """The extractor; None if it is not wanted, or missing and not asked for.  Raises Unavailable."""
    if options.embedding is False:
        return None
    reason = missing()
    if reason and options.embedding is None:
        observer.progress(f"Training on visual words alone. {reason}")
        return None
    return extractor()


def _features(images: Sequence[bytes], encoder: Encoder, known: Known, observer: Observer, channel: str) -> Floats:
    """All features, float32, (n, d): with their coordinates, what grows with the dataset."""
    features = np.empty((len(images), encoder.width), np.float32)
    done, next_report = 0, 0.0
    for chunk in encoder.features(images, known):
        features[done : done + len(chunk)] = chunk
        done += len(chunk)
        if done >= next_report or done == len(images):
            observer.metric(f"{channel}:features", done)
            next_report = done + len(images) / REPORTS
    return features


@dataclass
class _Curve:
    """A scikit-learn callback: reports log loss and accuracy after each iteration of the optimiser."""

    temperature: float
    observer: Observer
    parts: list[tuple[str, Doubles, Labels]]

    def setup(self, estimator: Any, context: Any) -> None: ...
    def teardown(self, estimator: Any, context: Any) -> None: ...
    def on_fit_task_begin(self, estimator: Any, context: Any) -> None: ...

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any = None) -> None:
        if fitted_estimator is not None:
            self.report(linear_of(fitted_estimator))

    def report(self, linear: Linear) -> None:
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
