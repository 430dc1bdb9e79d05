"""Calibration of the model in service, on its sealed test images."""

from dataclasses import dataclass

import numpy as np

from scones_core.domain.models import ModelVersion
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
    return of_model(app, champion)


def of_model(app: App, model: ModelVersion) -> ModelCalibration:
    """Of a model version on the test images of its dataset version. Raises NotFound."""
    found = training.evaluation(app, model, model.dataset)
    labels, probabilities = np.asarray(found.labels, dtype=np.int64), np.asarray(found.probabilities, dtype=float)
    return ModelCalibration(model.id, found.dataset.test_set, figures_of(labels, probabilities))
