"""Calibration of the model in service, on its sealed test images."""

from dataclasses import dataclass

import numpy as np

from scones_core.domain.reliability import CalibrationFigures
from scones_core.domain.reliability import calibration as figures_of
from scones_core.errors import NotFound
from scones_core.services import deployment, training
from scones_core.services.app import App


@dataclass(frozen=True)
class ModelCalibration:
    model: str
    test_set: str
    figures: CalibrationFigures


def calibration(app: App) -> ModelCalibration:
    """Of the champion on its test images. Raises NotFound."""
    champion = deployment.champion(app)
    if champion is None:
        raise NotFound("No model is deployed yet: deploy one first.")
    found = training.evaluation(app, champion, champion.dataset)
    labels, probabilities = np.asarray(found.labels, dtype=np.int64), np.asarray(found.probabilities, dtype=float)
    return ModelCalibration(champion.id, found.dataset.test_set, figures_of(labels, probabilities))
