"""Kernel similarities of images to landmarks (some training images), which make a linear model non-linear."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["Kernel", "gamma"]

Floats = npt.NDArray[np.float32]

STEEPNESS = 0.2  # of the Gaussian: unrelated images, a mean squared difference of 2, have a similarity of 0.67


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
        standardised = (features - self.centre) / self.scale
        distances = _squares(standardised)[:, None] + self._landmark_squares - 2 * (standardised @ self.landmarks.T)
        return np.asarray(np.exp(np.minimum(-gamma(features) * distances, 0)), dtype=np.float32)

    @cached_property
    def _landmark_squares(self) -> Floats:
        return _squares(self.landmarks)


def gamma(features: Floats) -> float:
    """What squared distances between rows of `features` are multiplied by, as scikit-learn names it."""
    return STEEPNESS / int(features.shape[1])


def _squares(vectors: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->i", vectors, vectors))
