"""A population of which everything is known: every image's label, and what a model that never saw it answers.

The images, real ones with `--data` and the generated sample without, are cut into five folds; of each, a model that was
trained on the other four answers for the images as they are, and darkened, blurred and noisy as `sources/drift.py`
makes them.
"""

import os
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from benchmarks._images import CLASSES, Images, load
from scones_core.domain.drift import SimulatedDrift
from scones_core.sources.drift import drifted
from scones_core.sources.model import SourceImage
from scones_core.sources.sample import open_sample
from scones_core.vision.fitting import fit
from scones_core.vision.statistics import statistics_of

DRIFTS = (SimulatedDrift.NONE, SimulatedDrift.DARK, SimulatedDrift.BLUR, SimulatedDrift.NOISE)
FOLDS = 5

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Population:
    """labels : shape (n,).  probabilities : (n, classes), out of fold.  statistics : (n, 4), of the pictures."""

    labels: Rows
    probabilities: Floats
    statistics: Floats

    @property
    def confidences(self) -> Floats:
        return np.asarray(self.probabilities.max(axis=1))

    @property
    def predictions(self) -> Rows:
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def correct(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.predictions == self.labels)

    @property
    def observations(self) -> Floats:
        """What drift is watched by, (n, 6): confidence, class, and the statistics."""
        return np.column_stack([self.confidences, self.predictions, self.statistics])


def images() -> Images:
    """The real images where `--data` or SCONES_DATA names them, else the generated sample."""
    if os.environ.get("SCONES_DATA"):
        return load("train") + load("test")
    source = open_sample(CLASSES, lambda *_: None, lambda _: 0)
    found = [image for image in source.items if isinstance(image, SourceImage)]
    return Images([image.data for image in found], [CLASSES.index(image.label) for image in found])


@lru_cache
def populations() -> dict[SimulatedDrift, Population]:
    """By drift.  Takes half a minute for 1,200 images on two cores."""
    every = images()
    n = len(every.files)
    folds = np.array_split(np.random.default_rng(0).permutation(n), FOLDS)
    files = {drift: [drifted(file, drift) for file in every.files] for drift in DRIFTS}
    answers = {drift: np.zeros((n, len(CLASSES))) for drift in DRIFTS}
    for fold in folds:
        rest = every.take(np.setdiff1d(np.arange(n), fold))
        model = fit(rest.files, rest.labels, CLASSES, seed=0)
        for drift in DRIFTS:
            answers[drift][fold] = model.predict_proba([files[drift][i] for i in fold])
    labels = np.array(every.labels)
    seen = {drift: np.array([statistics_of(file) for file in files[drift]]) for drift in DRIFTS}
    return {drift: Population(labels, answers[drift], seen[drift]) for drift in DRIFTS}
