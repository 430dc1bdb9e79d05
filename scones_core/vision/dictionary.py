"""Visual words: a dictionary of small image patches, learnt without labels.

References
----------
[COA11] Coates, Lee, Ng, "An analysis of single-layer networks in unsupervised feature learning", AISTATS 2011.
[COA12] Coates, Ng, "Learning feature representations with k-means", Neural Networks: Tricks of the Trade, 2012.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

__all__ = ["Block", "Dictionary", "contrast", "learn", "windows"]

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

CONTRAST_FLOOR = 10.0  # added to a patch's variance (grey levels squared), so that flat sky stays flat [COA12]
WHITENING_FLOOR = 0.1  # added to the eigenvalues of the patches' covariance [COA12]
PATCHES = 40_000  # bounds time and memory, however many images there are
ITERATIONS = 10


@dataclass(frozen=True)
class Block:
    """One scale: `words` visual words for patches of `patch` × `patch` pixels, pooled over `grid` × `grid` cells."""

    patch: int
    words: int
    grid: int

    @property
    def threshold(self) -> float:
        """How similar a patch must be to a word, or to its negative, to count at all.

        A fixed share of a whitened patch's typical length, √d: 0.5 for patches of 4 pixels.
        """
        return 0.5 * self.patch / 4

    @property
    def width(self) -> int:
        """Features this block contributes per image."""
        return 2 * self.words * self.grid**2


@dataclass(frozen=True)
class Dictionary:
    """Learnt words with normalisation and whitening folded in.

    The similarities of patches, shape (n, d) with d = 3 patch², to the words are
    `patches @ filters / contrast(patches) - offsets`.
    filters : float32, shape (d, words).  offsets : float32, shape (words,).
    """

    block: Block
    filters: Floats
    offsets: Floats


def windows(images: Pixels, patch: int) -> Floats:
    """All patches: uint8 (n, side, side, 3) → float32 (n, positions, 3 patch²), positions = (side − patch + 1)²."""
    view = sliding_window_view(images, (patch, patch), axis=(1, 2))
    n, rows, columns = view.shape[:3]
    return np.asarray(view.reshape(n, rows * columns, 3 * patch * patch), dtype=np.float32)


def contrast(patches: Floats) -> Floats:
    """What each patch is divided by, shape (…, 1): √(variance + floor), in grey levels."""
    deviation: Floats = np.sqrt(patches.var(axis=-1, keepdims=True) + np.float32(CONTRAST_FLOOR))
    return deviation


def learn(images: Pixels, block: Block, rng: np.random.Generator) -> Dictionary:
    """Whiten random patches of `images` and cluster them by spherical k-means [COA12].

    Patches of the mirrored images are as likely as the others, so a word stands for both of its orientations.
    """
    patches = _normalised(_random_patches(images, block.patch, rng))
    mean = patches.mean(axis=0)
    whitening = _whitening(patches - mean)
    words = _spherical_k_means((patches - mean) @ whitening, block.words, rng)
    filters = whitening @ words.T
    # Patches are not centred before the product: centring the filters does the same, once.
    return Dictionary(block, filters - filters.mean(axis=0), mean @ filters)


def _random_patches(images: Pixels, patch: int, rng: np.random.Generator) -> Floats:
    positions = images.shape[1] - patch + 1
    image = rng.integers(len(images), size=PATCHES)
    row, column = rng.integers(positions, size=(2, PATCHES))
    view = sliding_window_view(images, (patch, patch), axis=(1, 2))
    drawn = view[image, row, column]
    drawn[::2] = drawn[::2, :, :, ::-1]
    return np.asarray(drawn.reshape(PATCHES, -1), dtype=np.float32)


def _normalised(patches: Floats) -> Floats:
    return np.asarray((patches - patches.mean(axis=1, keepdims=True)) / contrast(patches))


def _whitening(centred: Floats) -> Floats:
    covariance = centred.T @ centred / np.float32(len(centred))
    values, vectors = np.linalg.eigh(covariance.astype(np.float64))
    return np.asarray((vectors / np.sqrt(np.maximum(values, 0) + WHITENING_FLOOR)) @ vectors.T, dtype=np.float32)


def _spherical_k_means(points: Floats, words: int, rng: np.random.Generator) -> Floats:
    """Unit vectors, shape (words, d), each the direction of the points most similar to it."""
    centres = _unit(points[rng.choice(len(points), words, replace=False)])
    for _ in range(ITERATIONS):
        similarity = points @ centres.T
        nearest = similarity.argmax(axis=1)
        weights = np.zeros_like(similarity)
        rows = np.arange(len(points))
        weights[rows, nearest] = similarity[rows, nearest]
        sums = weights.T @ points
        lost = ~np.any(weights, axis=0)
        sums[lost] = points[rng.choice(len(points), int(lost.sum()), replace=False)]
        centres = _unit(sums)
    return centres


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-8)))
