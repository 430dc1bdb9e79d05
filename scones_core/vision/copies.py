"""Detection of re-saved copies of an image: other format, size, brightness or contrast.

A fingerprint is the picture reduced to 16 × 16 brightnesses and 4 × 4 colours; two pictures are copies if their
fingerprints correlate almost perfectly. Rotated, mirrored or cropped copies are not detected.
"""

import functools

import numpy as np
import numpy.typing as npt
from PIL import Image

from scones_core.vision import images

__all__ = ["COPY_LEVEL", "DIMENSIONS", "Fingerprints", "are_alike", "find_copies", "fingerprint"]

Fingerprints = npt.NDArray[np.float32]

# Of the 719,400 pairs of CIFAR-100's 1,200 bicycles and motorcycles the highest correlation is .975, and that is one
# photograph scanned twice. See docs/decisions/copies-of-a-picture.md for what is found at this level.
COPY_LEVEL = 0.977
SIDE, COLOURS = 16, 4
DIMENSIONS = SIDE * SIDE + 2 * COLOURS * COLOURS
LUMA = images.LUMA.astype(np.float32)
COLOUR_WEIGHT = 2.0
FEATURELESS = 2.0  # of 255 grey levels, root mean square
BLOCK, KNOWN_BLOCK = 1024, 8192
ALIKE_SHARE, ALIKE_PAIRS, ALIKE_SAMPLE = 0.1, 3, 500


def fingerprint(picture: Image.Image) -> Fingerprints:
    """Fingerprint of a picture: float32, shape (DIMENSIONS,), of unit norm, or all zeros.

    A plain area or a smooth gradient gives zeros, which match nothing.
    """
    small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    levels = np.asarray(small, dtype=np.float32)
    if np.sqrt(np.mean(_without_polynomial((levels @ LUMA).ravel(), 3) ** 2)) < FEATURELESS:
        return np.zeros(DIMENSIONS, dtype=np.float32)
    # On a logarithmic scale a brighter copy is the same picture plus a constant; 32 keeps dark noise small.
    tones = 64 * np.log(levels + 32)
    luma = tones @ LUMA
    shapes = _without_polynomial(luma.ravel(), 1)
    colours = np.stack([tones[..., 0] - luma, tones[..., 2] - luma], axis=-1)
    step = SIDE // COLOURS
    coarse = colours.reshape(COLOURS, step, COLOURS, step, 2).mean(axis=(1, 3))
    vector = np.concatenate([shapes, COLOUR_WEIGHT * (coarse - coarse.mean(axis=(0, 1))).ravel()])
    unit: Fingerprints = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit


def find_copies(candidates: Fingerprints, known: Fingerprints, *, level: float = COPY_LEVEL) -> npt.NDArray[np.int64]:
    """For each candidate the index of the most similar known picture it is a copy of; −1 if there is none.

    candidates: shape (m, d); known: shape (n, d), as `fingerprint` gives them; level: least correlation, in (0, 1].
    Returns int64, shape (m,). Needs about 40 MB beside its arguments, whatever m and n are.
    """
    found = np.full(len(candidates), -1, dtype=np.int64)
    for start in range(0, len(candidates), BLOCK):
        block = candidates[start : start + BLOCK]
        best = np.full(len(block), level, dtype=np.float32)
        for first in range(0, len(known), KNOWN_BLOCK):
            likeness = block @ known[first : first + KNOWN_BLOCK].T
            nearest = likeness.argmax(axis=1)
            highest = likeness[np.arange(len(block)), nearest]
            better = highest > best if first else highest >= best
            found[start : start + BLOCK][better] = first + nearest[better]
            best[better] = highest[better]
    return found


def are_alike(fingerprints: Fingerprints) -> bool:
    """Whether pictures are too similar for copy detection: one camera, one background.

    fingerprints: shape (n, d). True where a tenth of all pairs, and three at least, would count as copies.
    """
    step = max(1, len(fingerprints) // ALIKE_SAMPLE)
    some = fingerprints[::step][:ALIKE_SAMPLE]
    pairs = len(some) * (len(some) - 1) // 2
    matching = int(np.count_nonzero(np.triu(some @ some.T >= COPY_LEVEL, 1)))
    return matching >= max(ALIKE_PAIRS, ALIKE_SHARE * pairs)


def _without_polynomial(values: Fingerprints, degree: int) -> Fingerprints:
    """Residual of `values` after a polynomial fit of that degree over the square; 1 removes a plane."""
    basis = _polynomials(degree)
    rest: Fingerprints = values - basis @ (basis.T @ values)
    return rest


@functools.cache
def _polynomials(degree: int) -> Fingerprints:
    """An orthonormal basis: shape (SIDE², number of terms)."""
    across, down = np.meshgrid(*2 * [np.linspace(-1, 1, SIDE)])
    terms = [(across**i * down**j).ravel() for i in range(degree + 1) for j in range(degree + 1 - i)]
    return np.linalg.qr(np.stack(terms, axis=1))[0].astype(np.float32)
