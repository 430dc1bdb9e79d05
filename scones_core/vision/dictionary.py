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

CONTRAST_FLOOR = 150.0  # added to a patch's variance (grey levels squared), so that faint noise stays faint [COA12]
WHITENING_FLOOR = 0.1  # added to the eigenvalues of the patches' covariance [COA12]
PATCHES = 20_000  # bounds time and memory, however many images there are
ITERATIONS = 10  # of k-means; more do not help


@dataclass(frozen=True)
class Block:
    """One scale: `words` visual words for patches of `patch` × `patch` pixels, pooled over `grid` × `grid` cells."""

    patch: int
    words: int
    grid: int

    @property
    def threshold(self) -> float:
        """How similar a patch must be to a word, or to its negative, to count at all.

        Whitened patches grow with their size, and so do their similarities by chance.
        """
        return max(0.25, 0.75 * self.patch - 2.5)

    @property
    def width(self) -> int:
        """Features this block contributes per image."""
        return 2 * self.words * self.grid**2


@dataclass(frozen=True)
class Dictionary:
    """Learnt words and their mirror images, with normalisation and whitening folded in.

    The similarities of patches, shape (n, d) with d = 3 patch², to the words are
    `patches @ filters / contrast(patches) - offsets`.
    filters : float32, shape (d, 2 words); column words + j is the mirror image of column j.
    offsets : float32, shape (2 words,).
    """

    block: Block
    filters: Floats
    offsets: Floats


def windows(images: Floats, patch: int) -> Floats:
    """All patches: (n, side, side, 3) → (n (side − patch + 1)², 3 patch²), each row by row, pixel by pixel, colour."""
    n, rows, columns, _ = images.shape
    lines = images.reshape(n, rows, 3 * columns)  # a patch's row of pixels then is one run of memory
    view = sliding_window_view(lines, (patch, 3 * patch), axis=(1, 2))[:, :, ::3]
    return np.ascontiguousarray(view).reshape(-1, 3 * patch * patch)


def contrast(patches: Floats) -> Floats:
    """What each patch is divided by, shape (n, 1): √(variance + floor), in grey levels."""
    mean = patches.mean(axis=1)
    squares = np.einsum("ij,ij->i", patches, patches) / np.float32(patches.shape[1])
    return np.sqrt(np.maximum(squares - mean * mean, 0) + np.float32(CONTRAST_FLOOR))[:, None]  # type: ignore[no-any-return]


def learn(images: Pixels, block: Block, rng: np.random.Generator) -> Dictionary:
    """Whiten random patches of `images` and cluster their directions by k-means [COA12].

    Patches of the mirrored images are as likely as the others, so a word stands for both of its orientations.
    """
    patches = _normalised(_random_patches(images, block.patch, rng))
    mean = patches.mean(axis=0)
    whitening = _whitening(patches - mean)
    words = _directions((patches - mean) @ whitening, block.words, int(rng.integers(2**31)))
    filters = whitening @ words.T
    offsets = mean @ filters
    # Patches are not centred before the product: centring the filters does the same, once.
    filters -= filters.mean(axis=0)
    mirrored = filters.reshape(block.patch, block.patch, 3, -1)[:, ::-1].reshape(filters.shape)
    return Dictionary(block, np.concatenate([filters, mirrored], axis=1), np.concatenate([offsets, offsets]))


def _random_patches(images: Pixels, patch: int, rng: np.random.Generator) -> Floats:
    positions = images.shape[1] - patch + 1
    image = rng.integers(len(images), size=PATCHES)
    row, column = rng.integers(positions, size=(2, PATCHES))
    view = sliding_window_view(images, (patch, patch), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)
    drawn = view[image, row, column]
    drawn[::2] = drawn[::2, :, ::-1]
    return np.asarray(drawn.reshape(PATCHES, -1), dtype=np.float32)


def _normalised(patches: Floats) -> Floats:
    return np.asarray((patches - patches.mean(axis=1, keepdims=True)) / contrast(patches))


def _whitening(centred: Floats) -> Floats:
    covariance = centred.T @ centred / np.float32(len(centred))
    values, vectors = np.linalg.eigh(covariance.astype(np.float64))
    return np.asarray((vectors / np.sqrt(np.maximum(values, 0) + WHITENING_FLOOR)) @ vectors.T, dtype=np.float32)


def _directions(points: Floats, words: int, seed: int) -> Floats:
    """Unit vectors, shape (words, d): the directions in which the points crowd."""
    from sklearn.cluster import KMeans  # a second to import, and prediction does without

    found = KMeans(words, init="random", n_init=1, max_iter=ITERATIONS, random_state=seed).fit(_unit(points))
    return _unit(found.cluster_centers_)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-8)))
