"""How similar an image is to landmarks, some of the training images: with these, a linear model can bend.

References
----------
[WIL01] Williams, Seeger, "Using the Nyström method to speed up kernel machines", NIPS 2000.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["Kernel", "coordinates", "standardise"]

Floats = npt.NDArray[np.float32]

STEEPNESS = 0.4  # of the Gaussian: unrelated images, at a squared distance of about 2, have a similarity of 0.67
LANDMARKS = 1_000  # bounds size, memory and time, however many images there are
LENGTH = 30.0  # root mean square length of the coordinates; the penalties are relative to it
SMALLEST = 1e-4  # directions with a smaller eigenvalue are rounding noise of 32-bit numbers
ROWS = 1_024  # images handled at a time


@dataclass(frozen=True)
class Kernel:
    """Gaussian similarity of standardised features to landmarks.

    centre, scale : float32, (features,): what is subtracted from features as they come, and then divided by.
    landmarks : float32, (m, features), standardised, and rounded to 16 bits so that they store in half the space.
    """

    centre: Floats
    scale: Floats
    landmarks: Floats

    def similarity(self, features: Floats) -> Floats:
        """Features as they come, (n, features) → similarities in 0 … 1, (n, m)."""
        return self.similarity_of_standardised((features - self.centre) / self.scale)

    def similarity_of_standardised(self, features: Floats) -> Floats:
        """The same for features that are standardised already."""
        squares = _squares(features)[:, None] + self._landmark_squares
        distances = squares - 2 * (features @ self.landmarks.T)
        return np.asarray(np.exp(np.minimum(-STEEPNESS / 2 * distances, 0)), dtype=np.float32)

    @cached_property
    def _landmark_squares(self) -> Floats:
        return _squares(self.landmarks)


def standardise(features: Floats, rng: np.random.Generator) -> Kernel:
    """Centre and scale features in place, to a mean squared length of 1, and draw landmarks among them."""
    centre = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    features -= centre
    variance = np.einsum("ij,ij->j", features, features, dtype=np.float64) / len(features)
    floor = 1e-4 * variance.mean() + 1e-12  # a feature that hardly varies is not blown up into noise
    scale = np.sqrt((variance + floor) * len(variance)).astype(np.float32)
    features /= scale
    drawn = np.sort(rng.permutation(len(features))[:LANDMARKS])
    return Kernel(centre, scale, features[drawn].astype(np.float16).astype(np.float32))


def coordinates(features: Floats, kernel: Kernel) -> tuple[Floats, Floats, Floats]:
    """Coordinates in which inner products approximate the kernel [WIL01], for a linear model to learn in.

    features : (n, d), standardised.
    Returns (coordinates, basis, offset): (n, r), (m, r) and (r,), with r ≤ m, such that
    coordinates = similarity @ basis − offset.
    """
    values, vectors = np.linalg.eigh(kernel.similarity_of_standardised(kernel.landmarks).astype(np.float64))
    kept = values > SMALLEST
    basis = (vectors[:, kept] / np.sqrt(values[kept])).astype(np.float32)
    found = np.empty((len(features), basis.shape[1]), np.float32)
    for start in range(0, len(features), ROWS):
        rows = slice(start, start + ROWS)
        found[rows] = kernel.similarity_of_standardised(features[rows]) @ basis
    offset = found.mean(axis=0, dtype=np.float64).astype(np.float32)
    found -= offset
    stretch = np.float32(LENGTH / np.sqrt(np.einsum("ij,ij->", found, found, dtype=np.float64) / len(found) + 1e-12))
    found *= stretch
    return found, basis * stretch, offset * stretch


def _squares(vectors: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->i", vectors, vectors))
