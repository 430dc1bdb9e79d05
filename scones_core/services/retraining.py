"""From reviewed labels to a challenger, and its comparison with the champion."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scones_core.domain.comparison import Comparison, compare
from scones_core.domain.datasets import DatasetVersion, LabelledImage, with_reviewed
from scones_core.domain.models import ModelVersion
from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.ports import TrainingJob
from scones_core.services import capture, deployment, etl, review, training
from scones_core.services.app import App


@dataclass(frozen=True)
class Retrained:
    dataset: DatasetVersion
    new_labels: int
    challenger: ModelVersion
    champion: ModelVersion
    comparison: Comparison


def new_labels(app: App) -> list[dict[str, object]]:
    """Reviewed labels of the dataset's classes that the current dataset version does not train on yet."""
    dataset = etl.current(app)
    if dataset is None:
        return []
    trained = {(image.sha256, image.class_index) for image in etl.images(app, dataset.id, "train")}
    return [
        row
        for row in review.reviewed(app)
        if row["label"] in dataset.classes and (row["image_sha256"], dataset.classes.index(row["label"])) not in trained
    ]


def new_dataset(app: App, *, min_labels: int = 1) -> DatasetVersion:
    """A child of the current dataset version with the reviewed images in `train`. Raises Conflict, BadInput."""
    parent, rows = etl.get(app), new_labels(app)
    if len(rows) < max(1, min_labels):
        raise Conflict(
            f"There are {len(rows)} new labels and {max(1, min_labels)} are needed: review more images first."
        )
    added: dict[str, tuple[str, int]] = {}
    sources: dict[str, str] = {}
    for row in rows:
        sha256, key = str(row["image_sha256"]), capture.stored_image(app, str(row["id"]))
        added[sha256] = (key, parent.classes.index(str(row["label"])))
        sources[sha256] = str(row["image"]).rsplit("/", 1)[-1]
    images = with_reviewed(etl.images(app, parent.id), added, sources)
    _check_test(images, parent)
    return etl.record(
        app,
        parent.classes,
        images,
        source=f"{_loaded_from(app, parent)}, with reviewed labels",
        generated=parent.generated,
        parent=parent.id,
        new_labels=len(rows),
    )


def _loaded_from(app: App, version: DatasetVersion) -> str:
    """The source of the version at the root of the lineage."""
    return _loaded_from(app, etl.get(app, version.parent)) if version.parent else version.source


def _check_test(images: list[LabelledImage], parent: DatasetVersion) -> None:
    left = {image.class_index for image in images if image.split == "test"}
    for index, name in enumerate(parent.classes):
        if index not in left:
            raise BadInput(f"No test image of “{name}” would be left to measure with: load more test images first.")


def start(app: App, *, min_labels: int = 1, seed: int = 0) -> TrainingJob:
    """Make the new dataset version and start training a challenger on it. Raises Conflict, NotFound."""
    if deployment.champion(app) is None:
        raise NotFound("There is no champion to compare with: train and deploy a first model.")
    dataset = new_dataset(app, min_labels=min_labels)
    return training.start(app, dataset=dataset.id, seed=seed)


def retrain(
    app: App, *, min_labels: int = 1, seed: int = 0, on_log: Callable[[str], None] = lambda _line: None
) -> Retrained:
    """`start`, wait for the challenger, and compare it with the champion."""
    job = start(app, min_labels=min_labels, seed=seed)
    training.wait(app, job.name, on_log=on_log)
    challenger, champion = training.model_of_job(app, job.name), deployment.champion(app)
    assert champion is not None
    dataset = etl.get(app, challenger.dataset)
    return Retrained(dataset, dataset.new_labels, challenger, champion, comparison(app, champion, challenger))


def comparison(app: App, champion: ModelVersion, challenger: ModelVersion) -> Comparison:
    """Both models on the test images of the challenger's dataset version.

    Reviewed images have left that test split, so neither model was trained on any of its images.
    Raises Conflict when the two models do not know the same classes.
    """
    training.same_classes(champion, challenger)
    labels, new = training.evaluation(app, challenger, challenger.dataset)
    _, old = training.evaluation(app, champion, challenger.dataset)
    return compare(labels, np.argmax(old, axis=1).tolist(), np.argmax(new, axis=1).tolist())
