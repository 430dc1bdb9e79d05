"""Held-out probabilities of labels that may be wrong, over several trainings."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scones_core.vision.classifier import Classifier
from scones_core.vision.features import NOTHING_KNOWN, Known
from scones_core.vision.fitting import fit
from scones_core.vision.options import DEFAULTS, Options

__all__ = ["DROPPED", "REPEATS", "second_opinions"]

Doubles = npt.NDArray[np.float64]

REPEATS = 2  # trainings with other folds, beside the first
DROPPED = 0.05  # share of the training images, the most doubtful ones, from which the last training learns nothing
_LEAST = 1e-6


def second_opinions(
    images: Sequence[bytes],
    labels: Sequence[int],
    classes: Sequence[str],
    held_out: Doubles,
    *,
    others: Sequence[bytes] = (),
    seed: int = 0,
    side: int = 32,
    options: Options = DEFAULTS,
    known: Known = NOTHING_KNOWN,
) -> tuple[Doubles, Doubles]:
    """Held-out probabilities of the images, (n, classes), and of others, which no training learns from, (m, classes).

    held_out : those of a first training, (n, classes). Others follow with other folds, as one division into folds is
    noisy, and one that learns nothing from the most doubtful images, so that wrong labels do not vouch for each other.
    All are averaged in log-odds. The other arguments are those of `fit`.
    """
    given, found, of_others = np.asarray(labels), [held_out], list[Doubles]()

    def train(seed: int, weights: Doubles) -> None:
        model = fit(
            images, labels, classes, seed=seed, side=side, options=options, sample_weight=weights.tolist(), known=known
        )
        found.append(_held_out(model, images, weights, known))
        of_others.append(model.predict_proba(others, known))

    for repeat in range(1, REPEATS + 1):
        train(seed + 100 * repeat, np.ones(len(given)))
    train(seed, _without_doubtful(given, _mean(found), len(classes)))
    return _mean(found), _mean(of_others)


def _held_out(model: Classifier, images: Sequence[bytes], weights: Doubles, known: Known) -> Doubles:
    """Of the images of weight 0, the answers of the model itself."""
    found = np.asarray(model.held_out, dtype=float)
    if dropped := np.flatnonzero(weights == 0).tolist():
        found[dropped] = model.predict_proba([images[i] for i in dropped], known)
    return found


def _without_doubtful(given: npt.NDArray[np.int64], probabilities: Doubles, n_classes: int) -> Doubles:
    """Weights: 0 for the images with the lowest probability of their label; of each class at least half count."""
    doubtful = np.argsort(probabilities[np.arange(len(given)), given], kind="stable")[: round(DROPPED * len(given))]
    weights, left = np.ones(len(given)), np.bincount(given, minlength=n_classes) // 2
    for image in doubtful:
        if left[given[image]] > 0:
            weights[image] = 0
            left[given[image]] -= 1
    return weights


def _mean(probabilities: Sequence[Doubles]) -> Doubles:
    """The normalised geometric mean, which averages log-odds."""
    found = np.exp(np.mean([np.log(np.maximum(p, _LEAST)) for p in probabilities], axis=0))
    return np.asarray(found / found.sum(axis=1, keepdims=True))
