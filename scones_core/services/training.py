"""Training jobs, and the model versions that come of them."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from scones_core.db import models as table
from scones_core.domain.datasets import TEST
from scones_core.domain.metrics import evaluate
from scones_core.domain.models import CHAMPION_VARIANT, Approval, ModelVersion
from scones_core.errors import Conflict, NotFound, SconesError
from scones_core.ports import EndpointConfig, TrainingJob, TrainingRequest
from scones_core.services import etl
from scones_core.services.app import App

_MEASURING = "measuring "


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
    return app.backend.training.start(request)


def jobs(app: App) -> Sequence[TrainingJob]:
    """All jobs, newest first; models of jobs that have ended meanwhile are registered."""
    settle(app)
    return app.backend.training.list()


def log(app: App, name: str) -> Sequence[str]:
    """A job's log lines so far, oldest first."""
    return app.backend.training.logs(name)


def job(app: App, name: str) -> TrainingJob:
    """A job with its metrics so far. Raises NotFound."""
    return app.backend.training.describe(name)


def stop(app: App, name: str) -> None:
    """Ask a job to stop; nothing happens when it has ended. Raises NotFound."""
    app.backend.training.stop(name)


def job_datasets(app: App) -> dict[str, str]:
    """Training job → the dataset version it trains on."""
    with app.db.read() as connection:
        return table.job_datasets(connection)


def wait(app: App, name: str, *, on_log: Callable[[str], None] = lambda _line: None, poll: float = 0.2) -> TrainingJob:
    """Follow a job to its end, handing on its log lines."""
    seen = 0
    while True:
        job = app.backend.training.describe(name)
        lines = app.backend.training.logs(name)
        for line in lines[seen:]:
            on_log(line)
        seen = len(lines)
        if job.status.ended:
            settle(app)
            return job
        time.sleep(poll)


def settle(app: App) -> None:
    """Register a model version for each job that has completed since the last time.

    It is measured before, which on AWS takes minutes: `measuring` tells of what outlasted the app's patience.
    """
    with app.db.read() as connection:
        unsettled = table.unsettled_jobs(connection)
    for name, dataset in unsettled:
        try:
            job = app.backend.training.describe(name)
        except NotFound:  # noted here, but never started: the app was killed in between
            job = None
        if job is None or job.status.ended:
            app.under_way.done(_MEASURING + name, partial(_settle, app, name, dataset, job), app.patience)


def measuring(app: App) -> list[str]:
    """The completed jobs whose models are being measured at the moment."""
    return [name.removeprefix(_MEASURING) for name in app.under_way.names() if name.startswith(_MEASURING)]


def _settle(app: App, name: str, dataset: str, job: TrainingJob | None) -> None:
    model = _model_of(app, job, dataset) if job and job.artifact_key else None
    with app.db.write() as connection:
        if not table.settle_job(connection, name) or model is None:
            return
        values, answers = model
        number = table.add_model(connection, values)
        table.add_evaluation(connection, number, answers)
    publish(app, number)


def publish(app: App, number: int) -> None:
    """Show a model version and its approval in the backend's registry, where it has one.

    What the registry refuses is nobody's loss: the next change brings it up to date, and `doctor` says what is missing.
    """
    if app.backend.registry is None:
        return
    with app.db.read() as connection:
        version = next(model for model in table.model_list(connection) if model.number == number)
    facts = {name: f"{value:.4f}" for name, value in version.metrics.items() if isinstance(value, float)}
    facts |= {"training_job": version.training_job, "dataset": version.dataset}
    with suppress(SconesError):
        app.backend.registry.publish(endpoint_config(version), version.approval, facts)


def _model_of(app: App, job: TrainingJob, dataset: str) -> tuple[dict[str, Any], table.Answers]:
    """Measure a completed job's artifact on its validation images: (model version, its evaluation)."""
    assert job.artifact_key is not None
    sha256 = hashlib.sha256(app.backend.objects.get(job.artifact_key)).hexdigest()
    images = etl.images(app, dataset, TEST)
    config = EndpointConfig(job.name, job.artifact_key, sha256)
    probabilities = app.backend.endpoints.transform(config, [image.key for image in images])
    values = {
        "created": datetime.now(UTC),
        "training_job": job.name,
        "dataset": dataset,
        "hyperparameters": dict(job.hyperparameters),
        "metrics": evaluate([image.class_index for image in images], probabilities).as_dict(),
        "artifact_key": job.artifact_key,
        "artifact_sha256": sha256,
        "seconds": job.seconds,
        "approval": str(Approval.PENDING),
    }
    answers = {(image.key, image.sha256): list(row) for image, row in zip(images, probabilities, strict=True)}
    return values, answers


def models(app: App) -> list[ModelVersion]:
    """All model versions, newest first."""
    settle(app)
    with app.db.read() as connection:
        return table.model_list(connection)


def model(app: App, id: str | None = None) -> ModelVersion:
    """The named model version, or the newest. Raises NotFound."""
    found = models(app)
    if not found:
        raise NotFound("No model has been trained yet: start a training job first (command train).")
    for version in found:
        if id in (None, version.id):
            return version
    raise NotFound(f"There is no model version “{id}”: choose one of {', '.join(m.id for m in found[:10])}.")


def model_of_job(app: App, name: str) -> ModelVersion:
    """The model version of a completed job. Raises SconesError with the job's failure otherwise."""
    for version in models(app):
        if version.training_job == name:
            return version
    job = app.backend.training.describe(name)
    raise SconesError(f"The training job {name} ended as {job.status}: {job.failure_reason or 'it was stopped'}")


def classes_of(model: ModelVersion) -> tuple[str, ...]:
    """Class names in the order of the model's probabilities."""
    return tuple(json.loads(model.hyperparameters["classes"]))


def same_classes(one: ModelVersion, other: ModelVersion) -> None:
    """Raises Conflict when the two models do not know the same classes."""
    if classes_of(one) != classes_of(other):
        raise Conflict(f"{other.id} knows other classes than {one.id}: they cannot be compared.")


def evaluation(app: App, model: ModelVersion, dataset: str) -> tuple[list[int], list[list[float]]]:
    """Labels, shape (n,), and the model's probabilities, shape (n, n_classes), on a dataset version's test images.

    What the model has answered before is taken from the database; the rest is computed and kept.
    """
    images = etl.images(app, dataset, TEST)
    with app.db.read() as connection:
        known = table.evaluation(connection, model.number)
    missing = [image for image in images if (image.key, image.sha256) not in known]
    if missing:
        config = endpoint_config(model)
        answers = app.backend.endpoints.transform(config, [image.key for image in missing])
        known |= {(image.key, image.sha256): list(row) for image, row in zip(missing, answers, strict=True)}
        with app.db.write() as connection:
            table.add_evaluation(connection, model.number, known)
    return [image.class_index for image in images], [known[image.key, image.sha256] for image in images]


def endpoint_config(
    model: ModelVersion, capture_percentage: int = 100, *, variant: str = CHAMPION_VARIANT
) -> EndpointConfig:
    return EndpointConfig(model.id, model.artifact_key, model.artifact_sha256, variant, capture_percentage)
