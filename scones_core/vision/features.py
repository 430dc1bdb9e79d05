"""From pixels to features: how often, and where, an image shows each visual word.

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
from scones_core.vision.dictionary import Dictionary, Floats, Pixels, contrast, windows
from scones_core.vision.images import pixels
from scones_core.vision.parallel import in_order

__all__ = ["encode", "features_of", "read_pixels"]

CHUNK = 8  # images encoded at a time, on one core: about 15 MB


def encode(images: Pixels, dictionaries: Sequence[Dictionary]) -> Floats:
    """Features, float32, shape (n, features), of images, uint8, shape (n, side, side, 3).

    An image and its mirror image have the very same features: both are encoded and added, so the classifier needs no
    mirrored copies to learn from.
    """
    both = np.concatenate([images, images[:, :, ::-1]])
    blocks = [_pooled(both, dictionary) for dictionary in dictionaries]
    # The square root keeps a word that is everywhere from drowning the others.
    return np.concatenate([np.sqrt(_sum_of_mirrors(block)) for block in blocks], axis=1)


def features_of(files: Sequence[bytes], side: int, dictionaries: Sequence[Dictionary]) -> Iterator[Floats]:
    """Features of image files, some images at a time and in order, spread over the cores.  Raises BadImage."""

    def chunk(start: int) -> Floats:
        return encode(read_pixels(files, range(start, min(start + CHUNK, len(files))), side), dictionaries)

    return in_order(chunk, range(0, len(files), CHUNK))


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


def _sum_of_mirrors(pooled: Floats) -> Floats:
    n = len(pooled) // 2
    return np.asarray(np.maximum(pooled[:n] + pooled[n:], 0).reshape(n, -1))


def _pooled(images: Pixels, dictionary: Dictionary) -> Floats:
    """Mean activation per cell of the grid, shape (n, 2 grid², words): positive half, then negative half."""
    block, positions = dictionary.block, images.shape[1] - dictionary.block.patch + 1
    patches = windows(images, block.patch)
    similarity = patches @ dictionary.filters
    similarity /= contrast(patches)
    similarity -= dictionary.offsets
    cells = _cells(positions, block.grid)
    # mean(max(s − t, 0)) = mean(max(s, t)) − t, because the weights of a cell sum to one: saves a pass over memory.
    threshold = np.float32(block.threshold)
    positive = cells @ np.maximum(similarity, threshold) - threshold
    negative = -(cells @ np.minimum(similarity, -threshold)) - threshold
    return np.concatenate([positive, negative], axis=1)


@lru_cache(maxsize=32)
def _cells(positions: int, grid: int) -> Floats:
    """Weights of each position in each cell, shape (grid², positions²); a position on a border is shared."""
    edges = np.linspace(0, positions, grid + 1)
    place = np.arange(positions)
    overlap = np.minimum(edges[1:, None], place + 1) - np.maximum(edges[:-1, None], place)
    line = np.maximum(overlap, 0) * grid / positions
    cells = np.einsum("ai,bj->abij", line, line).reshape(grid**2, positions**2)
    return np.asarray(cells, dtype=np.float32)
