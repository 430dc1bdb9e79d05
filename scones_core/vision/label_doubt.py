"""Held-out probabilities of labels that may be wrong, by models that did not learn from the most doubtful ones."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scones_core.vision.classifier import Classifier
from scones_core.vision.features import NOTHING_KNOWN, Known
from scones_core.vision.fitting import fit
from scones_core.vision.options import DEFAULTS, Options

__all__ = ["DROPPED", "refitted"]

Doubles = npt.NDArray[np.float64]

DROPPED = 0.05  # share of the training images, the most doubtful ones, from which nothing is learnt the second time


def refitted(
    images: Sequence[bytes],
    labels: Sequence[int],
    classes: Sequence[str],
    held_out: Doubles,
    *,
    seed: int = 0,
    side: int = 32,
    options: Options = DEFAULTS,
    known: Known = NOTHING_KNOWN,
) -> tuple[Doubles, Classifier]:
    """Held-out probabilities, (n, classes), of a second training, and its model.

    held_out : those of the first training, (n, classes). The images with the lowest probability of their label have
    weight 0 in the second one, so that wrong labels do not vouch for each other; of each class at least half stay.
    The other arguments are those of `fit`.
    """
    given = np.asarray(labels)
    doubtful = np.argsort(held_out[np.arange(len(given)), given], kind="stable")[: round(DROPPED * len(given))]
    weights, left = np.ones(len(given)), np.bincount(given, minlength=len(classes)) // 2
    for image in doubtful:
        if left[given[image]] > 0:
            weights[image] = 0
            left[given[image]] -= 1
    again = fit(
        images, labels, classes, seed=seed, side=side, options=options, sample_weight=weights.tolist(), known=known
    )
    assert again.held_out is not None
    found = again.held_out.astype(float)
    if dropped := np.flatnonzero(weights == 0).tolist():
        found[dropped] = again.predict_proba([images[i] for i in dropped], known)
    return found, again
