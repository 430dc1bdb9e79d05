"""Coordinates in which a linear model learns: inner products of them approximate the kernel.

References
----------
[WIL01] Williams, Seeger, "Using the Nyström method to speed up kernel machines", NIPS 2000.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler

from scones_core.vision.kernel import Kernel, gamma
from scones_core.vision.softmax import Linear

__all__ = ["Coordinates"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

LANDMARKS = 1_000  # bounds size, memory and time, however many images there are
LENGTH = 30.0  # root mean square of the coordinates; penalties and stopping are relative to it
ROUNDING = 1e-10  # of the largest eigenvalue; smaller ones, as of images that are there twice, say nothing
SPREAD = 1e-3  # least standard deviation that is more than rounding
ROWS = 1_024  # images handled at a time


class Coordinates:
    """Features as they come, (n, d) → Nyström coordinates [WIL01]; learnt without labels."""

    def __init__(self, features: Floats, rng: np.random.Generator) -> None:
        self._scaler = StandardScaler()
        for rows in _parts(features):  # all at once it would make a 64-bit copy
            self._scaler.partial_fit(features[rows])
        self._scaler.scale_ = np.where(self._scaler.scale_ < SPREAD, 1, self._scaler.scale_)
        drawn = features[np.sort(rng.permutation(len(features))[:LANDMARKS])]
        self._landmarks = self._scaler.transform(drawn).astype(np.float16).astype(np.float64)
        self._gamma = gamma(features)
        alike = rbf_kernel(self._landmarks, gamma=self._gamma)
        values, vectors = eigh(alike)
        kept = values > ROUNDING * values[-1]
        self._from_similarity = vectors[:, kept] / np.sqrt(values[kept])
        found = alike @ self._from_similarity
        self._centre = found.mean(axis=0)  # images are alike to each other: without it the optimiser creeps
        length = np.sqrt(np.mean(np.sum((found - self._centre) ** 2, axis=1)))
        self._stretch = LENGTH / max(length, SPREAD)

    def __call__(self, features: Floats) -> Doubles:
        """Shape (n, m), m ≤ 1,000; about centred, and of a root mean square length of about LENGTH."""
        found = np.empty((len(features), self._from_similarity.shape[1]))
        for rows in _parts(features):
            standardised = self._scaler.transform(features[rows])
            found[rows] = rbf_kernel(standardised, self._landmarks, gamma=self._gamma) @ self._from_similarity
        found -= self._centre
        found *= self._stretch
        return found

    @property
    def kernel(self) -> Kernel:
        arrays = (self._scaler.mean_, self._scaler.scale_, self._landmarks)
        return Kernel(*(array.astype(np.float32) for array in arrays))

    def folded(self, linear: Linear) -> Linear:
        """From a model of coordinates to one of the kernel's similarities."""
        weights = self._from_similarity @ (self._stretch * linear.weights)
        bias = linear.bias - self._stretch * (self._centre @ linear.weights)
        return Linear(weights.astype(np.float32), bias.astype(np.float32))


def _parts(features: Floats) -> Iterator[slice]:
    return (slice(start, start + ROWS) for start in range(0, len(features), ROWS))
