"""What cross-validation said of training images: evidence beside the sealed test images.

These answers come from models trained on a part of the images each, and from no image that was chosen for review.
"""

from collections.abc import Sequence

import numpy as np

from scones_core.domain.comparison import Comparison, compare
from scones_core.domain.datasets import LabelledImage
from scones_core.domain.models import ModelVersion
from scones_core.domain.reliability import CalibrationFigures, calibration
from scones_core.services import training
from scones_core.services.app import App
from scones_core.services.capture import REVIEWED

Answers = Sequence[tuple[LabelledImage, tuple[float, ...]]]


def answers(app: App, model: ModelVersion) -> Answers:
    """Training images with probabilities by a model that had not seen them; without images that were reviewed, as
    those were chosen for low confidence. Empty if the training kept none.
    """
    return [(image, p) for image, p in training.held_out(app, model) if not image.key.startswith(REVIEWED)]


def calibration_figures(app: App, model: ModelVersion) -> CalibrationFigures | None:
    """Calibration on these answers; None without any. The temperature was fitted to them, one number for all."""
    if not (found := answers(app, model)):
        return None
    labels, probabilities = ([image.class_index for image, _ in found], [p for _, p in found])
    return calibration(np.asarray(labels, np.int64), np.asarray(probabilities))


def comparison(app: App, champion: ModelVersion, challenger: ModelVersion) -> Comparison | None:
    """Both on the training images that they share, under the challenger's labels; None without any.

    It compares their trainings, each on a part of its images, not the two models themselves.
    """
    old = {image.sha256: p for image, p in answers(app, champion)}
    shared = [(image, old[image.sha256], p) for image, p in answers(app, challenger) if image.sha256 in old]
    if not shared or champion.classes != challenger.classes:
        return None
    images, *both = zip(*shared, strict=True)
    predictions = [np.argmax(np.asarray(one), axis=1).tolist() for one in both]
    return compare([image.class_index for image in images], *predictions)
