"""Images that are typical of others: what to label first, while there are too few labels for a model to be unsure.

Reference
---------
[HAC22] Hacohen, Dekel, Weinshall, "Active learning on a budget: opposite strategies suit high and low budgets",
        ICML 2022 (TypiClust, algorithm 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["TypicalImage", "typical"]

Floats = npt.NDArray[np.float32]

MOST_CLUSTERS = 500
NEIGHBOURS = 20  # whose mean distance is an image's typicality [HAC22, equation 4]


@dataclass(frozen=True)
class TypicalImage:
    """place : of the image among those to choose from.  alike : images of its cluster, itself and labelled ones too."""

    place: int
    alike: int


def typical(images: Floats, labelled: Floats, count: int, *, seed: int = 0) -> Sequence[TypicalImage]:
    """Up to `count` of the images, the first ones first: the most typical one of each cluster without a label.

    images, labelled : unit vectors, shapes (n, d) and (m, d). The clusters are as many as there will be labels; those
    with the fewest labels come first, of these the largest.
    """
    from sklearn.cluster import KMeans  # a second to import, and few pages need it

    n, every = len(images), np.concatenate([images, labelled]) if len(labelled) else images
    count = min(count, n)
    if not count:
        return []
    clusters = min(len(labelled) + count, MOST_CLUSTERS, len(every))
    numbers = KMeans(clusters, n_init=1, random_state=seed).fit_predict(every)
    sizes = np.bincount(numbers, minlength=clusters)
    labels = np.bincount(numbers[n:], minlength=clusters)
    left = [_by_typicality(images, np.flatnonzero(numbers[:n] == cluster)) for cluster in range(clusters)]
    found = []
    for _ in range(count):
        cluster = min((c for c in range(clusters) if left[c]), key=lambda c: (labels[c], -sizes[c], c))
        found.append(TypicalImage(left[cluster].pop(0), int(sizes[cluster])))
        labels[cluster] += 1
    return found


def _by_typicality(images: Floats, members: npt.NDArray[np.int64]) -> list[int]:
    """The members of a cluster, those nearest to their neighbours in it first."""
    if len(members) < 3:
        return list(map(int, members))
    cosines = images[members] @ images[members].T
    np.fill_diagonal(cosines, -np.inf)
    most = min(NEIGHBOURS, len(members) - 1)
    distances = np.sqrt(np.maximum(2 - 2 * np.partition(cosines, -most, axis=1)[:, -most:], 0)).mean(axis=1)
    return list(map(int, members[np.argsort(distances, kind="stable")]))
