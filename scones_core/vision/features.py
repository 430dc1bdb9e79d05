"""Features of images: frequency and position of each visual word.

References
----------
[CON11] Coates, Ng, "The importance of encoding versus training with sparse coding and vector quantization",
        ICML 2011 (the soft threshold with split signs).
[LAZ06] Lazebnik, Schmid, Ponce, "Beyond bags of features: spatial pyramid matching", CVPR 2006 (pooling by cells).
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from scones_core.errors import BadImage
from scones_core.vision.channel import Channel
from scones_core.vision.dictionary import Block, Dictionary, Floats, Pixels, contrast, windows
from scones_core.vision.images import pixels
from scones_core.vision.parallel import in_order

__all__ = ["encode", "features_of", "read_pixels"]

CHUNK = 2  # images encoded at a time: what one core's cache holds
TASK = 16  # images a thread takes at a time


def encode(images: Pixels, dictionaries: Sequence[Dictionary]) -> Floats:
    """Features, float32, shape (n, features), of images, uint8, shape (n, side, side, 3).

    An image and its mirror image have the same features, so training needs no mirrored copies.
    """
    centred = images.astype(np.float32) - np.float32(128)  # small numbers keep the variance exact
    pooled = np.concatenate([_pooled(centred, dictionary) for dictionary in dictionaries], axis=1)
    # The square root keeps a word that is everywhere from drowning the others.
    return np.asarray(np.sqrt(np.maximum(pooled, 0)))


def features_of(files: Sequence[bytes], side: int, dictionaries: Sequence[Dictionary]) -> Iterator[Floats]:
    """Features of image files, some images at a time and in order, spread over the cores.  Raises BadImage."""

    def task(start: int) -> Floats:
        end = min(start + TASK, len(files))
        chunks = (range(first, min(first + CHUNK, end)) for first in range(start, end, CHUNK))
        return np.concatenate([encode(read_pixels(files, chunk, side), dictionaries) for chunk in chunks])

    return in_order(task, range(0, len(files), TASK))


def read_pixels(files: Sequence[bytes], positions: Sequence[int], side: int) -> Pixels:
    """Some of the image files as uint8, shape (len(positions), side, side, 3).  Raises BadImage naming the position."""
    images = []
    for position in positions:
        try:
            images.append(pixels(files[position], side))
        except BadImage as error:
            raise BadImage(f"{_name(files, position)}{error}") from error
    return np.stack(images)


def _name(files: Sequence[bytes], position: int) -> str:
    if isinstance(files, Channel):
        return f"{files.names[position]}: "
    return f"Image {position + 1} of {len(files)}: " if len(files) > 1 else ""


def _pooled(images: Floats, dictionary: Dictionary) -> Floats:
    """Mean activation per cell of the grid, shape (n, width): of the words, then of their negatives."""
    block, n = dictionary.block, len(images)
    patches = windows(images, block.patch)
    similarity = patches @ dictionary.filters
    similarity /= contrast(patches)
    similarity -= dictionary.offsets
    similarity = similarity.reshape(n, -1, 2 * block.words)
    cells = _cells(images.shape[1] - block.patch + 1, block.grid)
    # mean(max(s − t, 0)) = mean(max(s, t)) − t, because the weights of a cell sum to one: saves a pass over memory.
    threshold = np.float32(block.threshold)
    positive = cells @ np.maximum(similarity, threshold) - threshold
    negative = -threshold - cells @ np.minimum(similarity, -threshold, out=similarity)
    return np.concatenate([_sum_of_mirrors(half, block) for half in (positive, negative)], axis=1)


def _sum_of_mirrors(pooled: Floats, block: Block) -> Floats:
    """Word j in a cell, plus its mirror image in the mirrored cell: the image's feature plus the mirrored image's."""
    cells = pooled.reshape(len(pooled), block.grid, block.grid, 2, block.words)
    return np.asarray(cells[..., 0, :] + cells[:, :, ::-1, 1, :]).reshape(len(pooled), -1)


@lru_cache(maxsize=32)
def _cells(positions: int, grid: int) -> Floats:
    """Weights of each position in each cell, shape (grid², positions²); a position on a border is shared."""
    edges = np.linspace(0, positions, grid + 1)
    place = np.arange(positions)
    overlap = np.minimum(edges[1:, None], place + 1) - np.maximum(edges[:-1, None], place)
    line = np.maximum(overlap, 0) * grid / positions
    cells = np.einsum("ai,bj->abij", line, line).reshape(grid**2, positions**2)
    return np.asarray(cells, dtype=np.float32)
