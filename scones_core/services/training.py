"""Training jobs, model versions, and their predictions for test images. Only `start`, `stop` and `evaluate` write;
`registration` creates model versions from jobs."""

import json
import math
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from scones_core import logs
from scones_core.db import datasets
from scones_core.db import models as table
from scones_core.domain.datasets import TEST, TRAIN, DatasetVersion, LabelledImage
from scones_core.domain.models import CHAMPION_VARIANT, JobRecord, JobState, ModelVersion
from scones_core.errors import Conflict, NotFound, SconesError, Unavailable
from scones_core.ports import EndpointConfig, JobStatus, TrainingJob, TrainingRequest
from scones_core.services import embedding_store, etl
from scones_core.services.app import App
from scones_core.settings import BackendName
from scones_core.vision.artifact import held_out_of
from scones_core.vision.channel import lst_rows


@logs.use_case
def start(
    app: App, *, dataset: str | None = None, seed: int = 0, hyperparameters: Mapping[str, str] | None = None
) -> TrainingJob:
    """Start a training job on a dataset version (default: the current one). Raises NotFound."""
    version = etl.get(app, dataset)
    created = datetime.now(UTC)
    request = TrainingRequest(
        name=f"train-{created:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}",
        channels={
            "train": "train/",
            "validation": "test/",
            "train_lst": f"datasets/{version.id}/train.lst",
            "validation_lst": f"datasets/{version.id}/test.lst",
            **({"embeddings": embedding_store.PREFIX} if embedding_store.embedded(app) else {}),
        },
        hyperparameters={
            "num_classes": str(len(version.classes)),
            "num_training_samples": str(version.train),
            "classes": json.dumps(version.classes),
            "image_shape": "3,32,32",
            "seed": str(seed),
            **(hyperparameters or {}),
        },
    )
    with app.db.write() as connection:
        table.add_job(connection, request.name, version.id, created)
    try:
        return app.backend.training.start(request)
    except Unavailable:  # it may have started: registration looks for it
        raise
    except SconesError as error:
        with app.db.write() as connection:
            table.finish_job(connection, request.name, JobState.ENDED, str(error))
        raise


def embedded_classifier(app: App) -> bool:
    """Whether training jobs train the embedded classifier, and not SageMaker's built-in algorithm."""
    return app.settings.backend is BackendName.EMBEDDED or app.settings.algorithm == "embedded"


def held_out(app: App, model: ModelVersion) -> list[tuple[LabelledImage, tuple[float, ...]]]:
    """Training images of a model version, with probabilities by a model that learnt neither from the image nor from
    its near-duplicates; empty if its training kept none.
    """
    if not embedded_classifier(app):  # SageMaker's own keeps none, and its artifact is large
        return []
    answers = held_out_of(app.backend.objects.get(model.artifact_key), model.artifact_sha256)
    if answers is None:
        return []
    by_key = {image.key: image for image in etl.images(app, model.dataset, TRAIN)}
    rows = lst_rows(app.backend.objects.get(f"datasets/{model.dataset}/train.lst").decode())
    images = [by_key.get(f"train/{path}") for _, path in rows]
    return [
        (image, tuple(map(float, row)))
        for image, row in zip(images, answers, strict=True)
        if image is not None and not math.isnan(row[0])
    ]


def jobs(app: App) -> Sequence[TrainingJob]:
    """All jobs, newest first."""
    return app.backend.training.list()


def records(app: App) -> dict[str, JobRecord]:
    """Training job → its dataset version and registration state."""
    with app.db.read() as connection:
        return {record.name: record for record in table.jobs(connection)}


def being_registered(app: App, jobs: Sequence[TrainingJob]) -> list[str]:
    """Those of the jobs that have completed but are not registered yet."""
    known = records(app)
    completed = [job.name for job in jobs if job.status is JobStatus.COMPLETED and job.name in known]
    return [name for name in completed if known[name].state is JobState.OPEN]


def log(app: App, name: str) -> Sequence[str]:
    """A job's log lines so far, oldest first."""
    return app.backend.training.logs(name)


def job(app: App, name: str) -> TrainingJob:
    """A job with its metrics so far. Raises NotFound."""
    return app.backend.training.describe(name)


@logs.use_case
def stop(app: App, name: str) -> None:
    """Ask a job to stop; no effect once it has ended. Raises NotFound."""
    app.backend.training.stop(name)


def models(app: App) -> list[ModelVersion]:
    """All model versions, newest first."""
    with app.db.read() as connection:
        return table.model_list(connection)


def model(app: App, id: str | None = None) -> ModelVersion:
    """The named model version, or the newest. Raises NotFound."""
    found = models(app)
    if not found:
        raise NotFound("No models yet: start a training job first (command train).")
    for version in found:
        if id in (None, version.id):
            return version
    raise NotFound(f"No model version “{id}”: choose one of {', '.join(m.id for m in found[:10])}.")


def model_of_job(app: App, name: str) -> ModelVersion:
    """The model version of a job that has ended. Raises SconesError with the reason if there is none."""
    for version in models(app):
        if version.training_job == name:
            return version
    record = records(app).get(name)
    if record and record.failure:
        raise SconesError(record.failure)
    job = app.backend.training.describe(name)
    raise SconesError(f"Training job {name} ended as {job.status}: {job.failure_reason or 'it was stopped'}")


def same_classes(one: ModelVersion, other: ModelVersion) -> None:
    """Raises Conflict unless the two models have the same classes in the same order."""
    if one.classes != other.classes:
        raise Conflict(
            f"{other.id} has the classes {', '.join(other.classes)}, {one.id} has {', '.join(one.classes)}: "
            "they cannot share an endpoint."
        )


@dataclass(frozen=True)
class Evaluation:
    """A model's predictions for the test images of a dataset version.

    labels : shape (n,), class indices of the dataset version.  probabilities : shape (n, n_classes), in its order.
    """

    dataset: DatasetVersion
    labels: Sequence[int]
    probabilities: Sequence[Sequence[float]]


def evaluation(app: App, model: ModelVersion, dataset: str) -> Evaluation:
    """The model's stored predictions for these test images.

    Raises NotFound if there are none (see `evaluate`), Conflict if the classes differ.
    """
    with app.db.read() as connection:
        version = datasets.version(connection, dataset)
        images = datasets.images(connection, dataset, TEST)
        known = table.evaluation(connection, model.number)
    if version is None:
        raise NotFound(f"No dataset version “{dataset}” to evaluate {model.id} on.")
    order = _order(model, version)
    try:
        rows = [known[image.key, image.sha256] for image in images]
    except KeyError:
        raise NotFound(f"{model.id} has not been evaluated on the test set {version.test_set} yet.") from None
    padded = [[*row, 0.0] for row in rows]
    return Evaluation(version, [image.class_index for image in images], [[row[i] for i in order] for row in padded])


def _order(model: ModelVersion, version: DatasetVersion) -> list[int]:
    """For each class of the dataset version, its index in the model's probabilities; -1 for a class it does not know.

    Raises Conflict if the dataset version lacks one of the model's classes.
    """
    if lacking := [name for name in model.classes if name not in version.classes]:
        raise Conflict(f"{model.id} predicts {lacking[0]}, which is no class of dataset version {version.id}.")
    return [model.classes.index(name) if name in model.classes else -1 for name in version.classes]


def evaluate(app: App, model: ModelVersion, dataset: str) -> None:
    """Run batch inference on test images without a stored prediction, and store the predictions."""
    _order(model, etl.get(app, dataset))
    images = etl.images(app, dataset, TEST)
    with app.db.read() as connection:
        known = table.evaluation(connection, model.number)
    missing = [image for image in images if (image.key, image.sha256) not in known]
    if missing:
        answers = app.backend.endpoints.transform(endpoint_config(model), [image.key for image in missing])
        found = {(image.key, image.sha256): list(row) for image, row in zip(missing, answers, strict=True)}
        with app.db.write() as connection:
            table.add_evaluation(connection, model.number, found)


def endpoint_config(
    model: ModelVersion, capture_percentage: int = 100, *, variant: str = CHAMPION_VARIANT
) -> EndpointConfig:
    return EndpointConfig(model.id, model.artifact_key, model.artifact_sha256, variant, capture_percentage)


def publish(app: App, number: int) -> None:
    """Publish a model version and its approval to the backend's registry, if it has one.

    Registry errors are ignored: the next change updates the entry, and `doctor` reports what is missing.
    """
    if app.backend.registry is None:
        return
    with app.db.read() as connection:
        version = next(model for model in table.model_list(connection) if model.number == number)
    facts = {name: f"{value:.4f}" for name, value in version.metrics.items() if isinstance(value, float)}
    facts |= {"training_job": version.training_job, "dataset": version.dataset}
    with suppress(SconesError):
        app.backend.registry.publish(endpoint_config(version), version.approval, facts)
