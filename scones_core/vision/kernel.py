"""Similarity of an image to landmarks, some of the training images: it makes a linear model bend.

References
----------
[WIL01] Williams, Seeger, "Using the Nyström method to speed up kernel machines", NIPS 2000.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Kernel", "coordinates"]

Floats = npt.NDArray[np.float32]

STEEPNESS = 0.4  # of the Gaussian; two unrelated images, at a squared distance of about 2, have a similarity of 0.67
LANDMARKS = 1_000  # bounds model size, memory and time, however many images there are
LENGTH = 30.0  # root mean square length of the coordinates; the penalties are relative to it
SMALLEST = 1e-4  # directions with a smaller eigenvalue are noise of 32-bit numbers
ROWS = 1_024  # handled at a time


@dataclass(frozen=True)
class Kernel:
    """Gaussian similarity of standardised features to landmarks.

    centre, scale : float32, shape (features,): what is subtracted, and then divided by.
    landmarks : float16, shape (m, features), standardised.
    """

    centre: Floats
    scale: Floats
    landmarks: npt.NDArray[np.float16]

    @classmethod
    def learn(cls, features: Floats, rng: np.random.Generator) -> "Kernel":
        """Scale features so that the mean squared length of an image is 1, and draw landmarks among the images."""
        centre = features.mean(axis=0, dtype=np.float64)
        variance = np.mean([features[rows].var(axis=0, dtype=np.float64)
        return cls()
