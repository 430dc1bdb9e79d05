"""Groups of training images that show the same thing: bursts, video frames, shifted, mirrored or re-saved copies.

Copies in other folds than their original would let cross-validation test on what was learnt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["SIDE", "Groups", "View", "near_duplicates"]

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

SIDE = 16  # pixels of the pictures that are compared
SHIFT = 3  # of these pixels, to each side
INNER = SIDE - 2 * SHIFT
SAME = 0.9  # correlation of two pictures, shifted or mirrored to fit, that show the same thing
NEIGHBOURS = 8  # of each image and view that are looked at closely
ROWS = 1_024  # images compared at a time
SPREAD = 1e-3  # least standard deviation that is more than rounding
STRICTER = 4  # times the levels are raised while too much hangs together


@dataclass(frozen=True)
class View:
    """One description of the images.

    features : (n, d).
    alike : correlation, once standardised, of two images that show the same thing; 1: never by this view alone.
    similar : correlation from which two are worth a closer look.
    """

    features: Floats
    alike: float
    similar: float


@dataclass(frozen=True)
class Groups:
    """group : of each image, shape (n,).  repeated : images that share theirs with another.

    complete : False if images that are alike had to be parted, as there would have been too few groups.
    """

    group: Labels
    repeated: int
    complete: bool = True


def near_duplicates(views: Sequence[View], pictures: Floats, largest: int) -> Groups:
    """Images that are alike, directly or through others, form a group of at most `largest` images.

    pictures : brightnesses, (n, SIDE, SIDE).  Where nearly all images are alike, only the closest stay together.
    Takes n² products; beside its arguments it needs memory for n × NEIGHBOURS pairs.
    """
    n = len(pictures)
    pairs, likeness = _pairs(views)
    unsure = np.flatnonzero(likeness < 0)
    for part in np.array_split(unsure, -(-len(unsure) // ROWS) or 1):
        seen = _correlation(pictures[pairs[0, part]], pictures[pairs[1, part]])
        likeness[part] = np.maximum(likeness[part], (seen - SAME) / (1 - SAME))
    for step in range(STRICTER):
        chosen = pairs[:, likeness >= step / STRICTER]
        graph = coo_array((np.ones(chosen.shape[1], bool), (chosen[0], chosen[1])), shape=(n, n))
        group = connected_components(graph, directed=False)[1].astype(np.int64)
        sizes = np.bincount(group)
        if sizes.max() <= largest:
            return Groups(group, int(sizes[sizes > 1].sum()), complete=step == 0)
    return Groups(np.arange(n, dtype=np.int64), 0, complete=False)


def _pairs(views: Sequence[View]) -> tuple[Labels, Floats]:
    """Neighbours worth a closer look, (2, m), and how alike they are: 0 at a view's level, 1 if equal."""
    n = len(views[0].features)
    found: list[Labels] = []
    likeness: list[Floats] = []
    for view in views:
        mean, deviation = _scale(view.features)
        for first in range(0, n, ROWS):
            a = _unit(view.features[first : first + ROWS], mean, deviation)
            best = np.zeros((len(a), 0), np.float32)
            where = np.zeros((len(a), 0), np.int64)
            for second in range(0, n, ROWS):
                products = a @ _unit(view.features[second : second + ROWS], mean, deviation).T
                if second == first:
                    np.fill_diagonal(products, -1)
                columns = np.broadcast_to(np.arange(second, second + products.shape[1]), products.shape)
                best, where = _highest(np.hstack([best, products]), np.hstack([where, columns]))
            rows, columns = np.nonzero(best >= view.similar)
            found.append(np.sort(np.stack([rows + first, where[rows, columns]]), axis=0))
            likeness.append((best[rows, columns] - view.alike) / max(1 - view.alike, 1e-6))
    pairs, place = np.unique(np.concatenate(found, axis=1), axis=1, return_inverse=True)
    most = np.full(pairs.shape[1], -np.inf, np.float32)
    np.maximum.at(most, place.ravel(), np.concatenate(likeness).astype(np.float32))
    return pairs, most


def _highest(values: Floats, positions: Labels) -> tuple[Floats, Labels]:
    """The NEIGHBOURS largest of each row, in any order."""
    if values.shape[1] > NEIGHBOURS:
        kept = np.argpartition(values, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
        values, positions = np.take_along_axis(values, kept, axis=1), np.take_along_axis(positions, kept, axis=1)
    return values, positions


def _correlation(pictures: Floats, others: Floats) -> Floats:
    """The highest correlation of the middle of each picture with any part of the other, mirrored or not; (m,)."""
    middle = pictures[:, SHIFT : SHIFT + INNER, SHIFT : SHIFT + INNER]
    middle = middle - middle.mean(axis=(1, 2), keepdims=True)
    length = np.maximum(np.sqrt(np.square(middle).sum(axis=(1, 2))), INNER)  # a plain area is like nothing
    best = np.full(len(pictures), -1, np.float32)
    for other in (others, others[:, :, ::-1]):
        products = np.einsum("nij,nyxij->nyx", middle, sliding_window_view(other, (INNER, INNER), axis=(1, 2)))
        variance = _sums(np.square(other)) - np.square(_sums(other)) / INNER**2
        lengths = np.sqrt(np.maximum(variance, INNER**2))
        np.maximum(best, (products / lengths).max(axis=(1, 2)) / length, out=best)
    return best


def _sums(pictures: Floats) -> Floats:
    """Sums of all windows of INNER × INNER pixels: (n, SIDE, SIDE) → (n, 2 SHIFT + 1, 2 SHIFT + 1)."""
    for axis in (1, 2):
        pictures = sliding_window_view(pictures, INNER, axis=axis).sum(axis=-1)
    return pictures


def _scale(features: Floats) -> tuple[Floats, Floats]:
    deviation = features.std(axis=0, dtype=np.float64)
    mean = features.mean(axis=0, dtype=np.float64)
    return mean.astype(np.float32), np.where(deviation < SPREAD, 1, deviation).astype(np.float32)


def _unit(features: Floats, mean: Floats, deviation: Floats) -> Floats:
    standardised = (features - mean) / deviation
    lengths = np.linalg.norm(standardised, axis=1, keepdims=True)
    return np.asarray(standardised / np.maximum(lengths, np.float32(1e-8)), np.float32)
