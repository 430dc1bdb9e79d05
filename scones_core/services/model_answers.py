"""The test images of a dataset version with what models say of them: errors, and disagreements of two models."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scones_core.domain.datasets import TEST, LabelledImage
from scones_core.domain.models import ModelVersion
from scones_core.services import etl, training
from scones_core.services.app import App


@dataclass(frozen=True)
class ModelAnswer:
    """A model's prediction for a test image; `confidence` is the probability of the prediction."""

    image: LabelledImage
    label: str
    prediction: str
    confidence: float

    @property
    def right(self) -> bool:
        return self.prediction == self.label


def answers(app: App, model: ModelVersion, dataset: str) -> list[ModelAnswer]:
    """Of every test image of a dataset version, the most confident first.

    Raises NotFound if the model has not been evaluated on them, Conflict if the classes differ.
    """
    return sorted(_in_order(app, model, dataset), key=lambda one: -one.confidence)


def disagreements(
    app: App, old: ModelVersion, new: ModelVersion
) -> tuple[Sequence[tuple[ModelAnswer, ModelAnswer]], Sequence[tuple[ModelAnswer, ModelAnswer]]]:
    """Test images of the newer model's dataset version on which only the new, and on which only the old one is right.

    Each as (answer of the old, answer of the new). Raises as `answers`.
    """
    pairs = list(zip(_in_order(app, old, new.dataset), _in_order(app, new, new.dataset), strict=True))
    gained = [(first, second) for first, second in pairs if second.right and not first.right]
    lost = [(first, second) for first, second in pairs if first.right and not second.right]
    return gained, lost


def _in_order(app: App, model: ModelVersion, dataset: str) -> list[ModelAnswer]:
    found = training.evaluation(app, model, dataset)
    classes, probabilities = found.dataset.classes, np.asarray(found.probabilities, dtype=float)
    return [
        ModelAnswer(image, classes[image.class_index], classes[int(row.argmax())], float(row.max()))
        for image, row in zip(etl.images(app, dataset, TEST), probabilities, strict=True)
    ]
