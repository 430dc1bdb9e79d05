"""Labels that are probably wrong: those that held-out models contradict most.

Reference
---------
[NOR21] Northcutt, Jiang, Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70 (2021)
        (ranking by self-confidence, the held-out probability of the given label).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scones_core.domain.datasets import TEST, DatasetVersion, LabelledImage
from scones_core.domain.models import ModelVersion
from scones_core.errors import NotFound
from scones_core.services import etl, training
from scones_core.services.app import App


@dataclass(frozen=True)
class Suspect:
    """An image whose label is doubted. self_confidence : held-out probability of its label; prediction : class name."""

    image: LabelledImage
    label: str
    prediction: str
    self_confidence: float


@dataclass(frozen=True)
class Suspects:
    """The labels most doubted, the most doubtful first. checked : training and test images with held-out answers."""

    checked: int
    suspects: Sequence[Suspect]


def trained_on(app: App, version: DatasetVersion) -> ModelVersion | None:
    """The newest model trained on a dataset version."""
    return next((model for model in training.models(app) if model.dataset == version.id), None)


def suspects(app: App, version: DatasetVersion, model: ModelVersion, *, count: int) -> Suspects:
    """Among the train and test images of a dataset version, by a model trained on it.

    Only images whose prediction differs from their label.
    """
    answers = [*training.held_out(app, model), *_tests(app, model)]
    found = [_suspect(version, model, image, p) for image, p in answers]
    doubted = sorted((one for one in found if one.prediction != one.label), key=lambda one: one.self_confidence)
    return Suspects(len(found), doubted[:count])


def _tests(app: App, model: ModelVersion) -> Iterable[tuple[LabelledImage, Sequence[float]]]:
    """Test images are never trained on: the model's own answers are held out."""
    try:
        evaluation = training.evaluation(app, model, model.dataset)
    except NotFound:
        return []
    images = etl.images(app, model.dataset, TEST)
    return zip(images, evaluation.probabilities, strict=True)


def _suspect(
    version: DatasetVersion, model: ModelVersion, image: LabelledImage, probabilities: Sequence[float]
) -> Suspect:
    label = version.classes[image.class_index]
    by_name = dict(zip(model.classes, probabilities, strict=True))
    return Suspect(image, label, max(by_name, key=by_name.__getitem__), by_name[label])
