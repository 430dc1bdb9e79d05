"""The classifier, on visual words and embeddings and on visual words alone, against HOG + RBF SVM, in the same run.

`accuracy`, `log_loss`, `ece`, `brier` under `test` are of the test images.  `cross_validated` repeats the whole
training, words and temperature included, on four fifths of the training images and judges it by the rest; beside its
`ece` stands what a perfectly calibrated model of the same confidences would show, and exceed in one of 20 cases.

`embeddings_known` are the seconds of a training whose images have been embedded before.

The peer is what a practitioner would try first: histograms of oriented gradients [DAL05] on cells of 4 pixels, an RBF
SVM (C = 3, gamma "scale": the best of a small grid by cross-validation on the training images), and Platt's calibration
on five folds, because it, too, must answer with probabilities.  It is not charged for the search of its C and gamma.

[DAL05] Dalal, Triggs, "Histograms of oriented gradients for human detection", CVPR 2005.
"""

import hashlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from benchmarks._images import CLASSES, Images, load
from scones_core.domain.metrics import calibration_floor, evaluate
from scones_core.vision.classifier import Classifier
from scones_core.vision.extractor import extractor
from scones_core.vision.features import embedded
from scones_core.vision.fitting import fit
from scones_core.vision.images import decode, pixels
from scones_core.vision.options import Options

FOLDS, ROUNDS, SINGLES = 5, 3, 200

Array = npt.NDArray[Any]


class Model(Protocol):
    def predict_proba(self, images: Sequence[bytes]) -> Array: ...


Fit = Callable[[Sequence[bytes], Sequence[int]], Model]


def run() -> dict[str, Any]:
    """Figures of each, and ratios: ours divided by the peer's.  Takes about a minute."""
    train, test = load("train"), load("test")
    fits: dict[str, Fit] = {"classifier": _fit_classifier, "visual_words": _fit_visual_words, "hog_svm": HogSvm.fit}
    models, times = _fit_in_turn(fits, train)
    figures = {name: _figures(name, fits[name], models[name], times[name], train, test) for name in fits}
    ours, peer = figures["classifier"], figures["hog_svm"]
    same = ("seconds", "cpu_seconds", "ms_per_prediction", "ms_per_prediction_in_batch")
    ratios = {name: ours[name] / peer[name] for name in same}
    ours["artifact_bytes"] = len(cast(Classifier, models["classifier"]).save())
    known = {"embeddings_known": _with_known_embeddings(train)}
    return {"images": {"train": len(train.files), "test": len(test.files)}, **figures, **known, "ratios": ratios}


def _with_known_embeddings(train: Images) -> dict[str, float]:
    """Seconds of training, medians."""
    names = [hashlib.sha256(file).hexdigest() for file in train.files]
    vectors = embedded(extractor(), train.files, [decode(file) for file in train.files])
    known = dict(zip(names, vectors, strict=True))
    taken = []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        fit(train.files, train.labels, CLASSES, known=known)
        taken.append((time.perf_counter() - wall, time.process_time() - cpu))
    return dict(zip(("seconds", "cpu_seconds"), map(statistics.median, zip(*taken, strict=True)), strict=True))


class HogSvm:
    """The peer."""

    def __init__(self, machine: Any) -> None:
        self._machine = machine

    @classmethod
    def fit(cls, images: Sequence[bytes], labels: Sequence[int]) -> "HogSvm":
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.svm import SVC

        machine = CalibratedClassifierCV(SVC(C=3, gamma="scale"), ensemble=False, cv=5)
        return cls(machine.fit(_hog(images), labels))

    def predict_proba(self, images: Sequence[bytes]) -> Array:
        return np.asarray(self._machine.predict_proba(_hog(images)))


def _hog(images: Sequence[bytes], cell: int = 4, bins: int = 9) -> Array:
    """Histograms of unsigned gradients, blocks of 2 × 2 cells, L2-Hys: (n, 1764) for 32 × 32 pixels [DAL05]."""
    colour = np.sqrt(np.stack([pixels(image) for image in images]).astype(np.float32) / 255)
    dx, dy = np.zeros_like(colour), np.zeros_like(colour)
    dx[:, :, 1:-1], dy[:, 1:-1] = colour[:, :, 2:] - colour[:, :, :-2], colour[:, 2:] - colour[:, :-2]
    strongest = (dx**2 + dy**2).argmax(axis=3)[..., None]  # of the three colours
    dx, dy = (np.take_along_axis(d, strongest, 3)[..., 0] for d in (dx, dy))
    strength, angle = np.hypot(dx, dy), np.mod(np.arctan2(dy, dx), np.pi) / np.pi * bins
    low = np.floor(angle).astype(int)
    histogram = np.zeros((*strength.shape, bins), np.float32)
    for step, share in ((0, 1 - (angle - low)), (1, angle - low)):
        where = (low + step)[..., None] % bins
        np.put_along_axis(histogram, where, np.take_along_axis(histogram, where, 3) + (strength * share)[..., None], 3)
    n, rows, columns = len(images), strength.shape[1] // cell, strength.shape[2] // cell
    cells = histogram.reshape(n, rows, cell, columns, cell, bins).sum((2, 4))
    corners = [cells[:, i : rows - 1 + i, j : columns - 1 + j] for i in (0, 1) for j in (0, 1)]
    blocks = np.concatenate(corners, axis=3)
    for limit in (0.2, 1.0):
        blocks = np.minimum(blocks / np.sqrt((blocks**2).sum(3, keepdims=True) + 1e-4), limit)
    return blocks.reshape(n, -1)


def _fit_classifier(images: Sequence[bytes], labels: Sequence[int]) -> Classifier:
    return fit(images, labels, CLASSES)


def _fit_visual_words(images: Sequence[bytes], labels: Sequence[int]) -> Classifier:
    return fit(images, labels, CLASSES, options=Options(embedding=False))


def _fit_in_turn(fits: dict[str, Fit], train: Images) -> tuple[dict[str, Model], dict[str, tuple[float, float]]]:
    """Models, and the medians of wall and processor seconds; taking turns spreads the machine's other work evenly."""
    models: dict[str, Model] = {}
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in fits}
    for warm_up in fits.values():  # imports and first calls are not training
        warm_up(train.files[:5] + train.files[-5:], train.labels[:5] + train.labels[-5:])
    for _ in range(ROUNDS):
        for name, train_once in fits.items():
            wall, cpu = time.perf_counter(), time.process_time()
            models[name] = train_once(train.files, train.labels)
            rounds[name].append((time.perf_counter() - wall, time.process_time() - cpu))
            _say(f"{name}: trained in {rounds[name][-1][0]:.1f} s")
    return models, {name: tuple(map(statistics.median, zip(*taken, strict=True))) for name, taken in rounds.items()}


def _figures(
    name: str, fit: Fit, model: Model, times: tuple[float, float], train: Images, test: Images
) -> dict[str, Any]:
    with _one_core():
        single = _milliseconds(model, test, size=1)
    return {
        "test": evaluate(test.labels, model.predict_proba(test.files)).as_dict(),
        "cross_validated": _cross_validated(name, fit, train),
        "seconds": times[0],
        "cpu_seconds": times[1],
        "ms_per_prediction": single,
        "ms_per_prediction_in_batch": _milliseconds(model, test, size=len(test.files)),
    }


def _cross_validated(name: str, fit: Fit, train: Images) -> dict[str, Any]:
    from sklearn.model_selection import StratifiedKFold

    labels, p = np.array(train.labels), np.zeros((len(train.files), len(CLASSES)))
    accuracies = []
    for rest, held_out in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(p, labels):
        part, unseen = train.take(rest), train.take(held_out)
        p[held_out] = fit(part.files, part.labels).predict_proba(unseen.files)
        accuracies.append(float(np.mean(p[held_out].argmax(1) == labels[held_out])))
        _say(f"{name}: fold {len(accuracies)} of {FOLDS}, accuracy {accuracies[-1]:.3f}")
    found = evaluate(labels, p)
    return {
        "accuracy": found.accuracy,
        "accuracy_sd": statistics.stdev(accuracies),
        "log_loss": found.log_loss,
        "brier": found.brier,
        "ece": found.ece,
        "ece_if_calibrated": asdict(calibration_floor(p.max(axis=1))),
    }


def _milliseconds(model: Model, test: Images, size: int) -> float:
    """Median per image, from the file's bytes to probabilities, in calls of `size` images."""
    taken = []
    for i in range(SINGLES if size == 1 else 5):
        files = [test.files[i % len(test.files)]] if size == 1 else test.files[:size]
        begun = time.perf_counter()
        model.predict_proba(files)
        taken.append((time.perf_counter() - begun) / size * 1000)
    return statistics.median(taken)


@contextmanager
def _one_core() -> Iterator[None]:
    """Keep this process on one core, where the system can."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    if cores is not None:
        os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        if cores is not None:
            os.sched_setaffinity(0, cores)


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
