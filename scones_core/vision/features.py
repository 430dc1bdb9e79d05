"""Features of images: frequency and position of each visual word, and an embedding.

References
----------
[CON11] Coates, Ng, "The importance of encoding versus training with sparse coding and vector quantization",
        ICML 2011 (the soft threshold with split signs).
[LAZ06] Lazebnik, Schmid, Ponce, "Beyond bags of features: spatial pyramid matching", CVPR 2006 (pooling by cells).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from PIL import Image

from scones_core.errors import BadImage
from scones_core.vision.dictionary import Block, Dictionary, Floats, Pixels, contrast, windows
from scones_core.vision.extractor import SIDE, WIDTH, Embeddings, Extractor
from scones_core.vision.images import LUMA, decode, square
from scones_core.vision.parallel import in_order

__all__ = ["NOTHING_KNOWN", "Encoder", "Known", "embedded", "encode", "greys", "read_pixels"]

Known = Mapping[str, Embeddings]  # SHA-256 of an image file, hexadecimal → its embedding, shape (WIDTH,)
NOTHING_KNOWN: Known = MappingProxyType({})

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


@dataclass(frozen=True)
class Encoder:
    """From image files to features: visual words of the thumbnail, then the embedding, if there is an extractor.

    side : pixels of the thumbnail.  The embedding is of the picture at its own resolution, up to the extractor's.
    """

    side: int
    dictionaries: tuple[Dictionary, ...]
    extractor: Extractor | None = None

    @property
    def words(self) -> int:
        """Features that are of visual words; the rest is the embedding."""
        return sum(dictionary.block.width for dictionary in self.dictionaries)

    @property
    def width(self) -> int:
        """Features per image."""
        return self.words + (WIDTH if self.extractor else 0)

    def features(self, files: Sequence[bytes], known: Known = NOTHING_KNOWN) -> Iterator[Floats]:
        """Features of image files, float32, some images at a time and in order, spread over the cores.

        known : embeddings by SHA-256 of the file; the others are computed.  Raises BadImage naming the position.
        """

        def task(start: int) -> Floats:
            positions = range(start, min(start + TASK, len(files)))
            contents = [files[position] for position in positions]
            pictures = [_decoded(data, files, i) for data, i in zip(contents, positions, strict=True)]
            thumbnails = np.stack([square(picture, self.side) for picture in pictures])
            chunks = range(0, len(thumbnails), CHUNK)
            found = np.concatenate([encode(thumbnails[i : i + CHUNK], self.dictionaries) for i in chunks])
            if self.extractor is None:
                return found
            return np.concatenate([found, embedded(self.extractor, contents, pictures, known)], axis=1)

        return in_order(task, range(0, len(files), TASK))


def embedded(
    network: Extractor, contents: Sequence[bytes], pictures: Sequence[Image.Image], known: Known = NOTHING_KNOWN
) -> Embeddings:
    """Embeddings, shape (n, WIDTH), of files and what was decoded from them; those known are not computed."""
    names = [hashlib.sha256(data).hexdigest() if known else "" for data in contents]
    found = np.zeros((len(contents), WIDTH), np.float16)
    new = [i for i, name in enumerate(names) if name not in known]
    if new:
        found[new] = network.embed(np.stack([square(pictures[i], SIDE) for i in new]))
    for i, name in enumerate(names):
        if name in known:
            found[i] = known[name]
    return found


def read_pixels(files: Sequence[bytes], positions: Sequence[int], side: int) -> Pixels:
    """Some of the image files as uint8, shape (len(positions), side, side, 3).  Raises BadImage naming the position."""
    return np.stack([square(_decoded(files[position], files, position), side) for position in positions])


def greys(files: Sequence[bytes], positions: Sequence[int], side: int) -> Floats:
    """Brightnesses of some of the image files, 0 … 255, float32, shape (len(positions), side, side)."""

    luma = LUMA.astype(np.float32)

    def task(position: int) -> Floats:
        return np.asarray(square(_decoded(files[position], files, position), side) @ luma, np.float32)

    return np.stack(list(in_order(task, positions)))


def _decoded(data: bytes, files: Sequence[bytes], position: int) -> Image.Image:
    try:
        return decode(data)
    except BadImage as error:
        raise BadImage(f"{_name(files, position)}{error}") from error


def _name(files: Sequence[bytes], position: int) -> str:
    if names := getattr(files, "names", None):  # of a channel
        return f"{names[position]}: "
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
