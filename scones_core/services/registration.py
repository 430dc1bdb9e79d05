"""Registration of the models of completed training jobs: evaluated on the test images, and registered once.

Processes on one home coordinate through the database: a process claims the job it registers and renews the claim while
it works, so that a killed process holds it for at most a minute.
"""

import hashlib
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from scones_core import logs
from scones_core.db import models as table
from scones_core.domain.datasets import TEST
from scones_core.domain.metrics import calibration_floor, evaluate
from scones_core.domain.models import Approval, JobRecord, JobState, ModelVersion
from scones_core.errors import NotFound, SconesError
from scones_core.ports import EndpointConfig, JobStatus, TrainingJob
from scones_core.services import deployment, endpoint_changes, etl, training
from scones_core.services.app import App
from scones_core.services.background import Loop

CLAIM = timedelta(seconds=60)
LOST = timedelta(minutes=10)  # a job recorded this long ago that does not exist was never started
EVERY = 1.0  # polling interval of the registrar, in seconds

log = logs.get(__name__)


def register_ended(app: App, *, only: str | None = None) -> None:
    """Register the models of completed jobs; a failure is recorded on its job and does not affect others.

    only : restrict to the job of this name.
    """
    with app.db.read() as connection:
        open_jobs = table.jobs(connection, JobState.OPEN)
    for record in open_jobs:
        if only in (None, record.name):
            _look_at(app, record)


@logs.use_case
def try_again(app: App, name: str) -> None:
    """Retry a failed registration."""
    with app.db.write() as connection:
        table.reopen_job(connection, name)


def wait(app: App, name: str, *, on_log: Callable[[str], None] = lambda _line: None, poll: float = 0.2) -> TrainingJob:
    """Wait until a job has ended and its model, if any, is registered; passes on its log lines."""
    seen = 0
    while True:
        job = app.backend.training.describe(name)
        lines = app.backend.training.logs(name)
        for line in lines[seen:]:
            on_log(line)
        seen = len(lines)
        if job.status.ended:
            register_ended(app, only=name)
            record = training.records(app).get(name)
            if record is None or record.state is not JobState.OPEN:
                return job
        time.sleep(poll)


def watch(app: App, *, every: float = EVERY) -> Loop:
    """Register models and reconcile deployments in the background until the app is closed."""

    def look() -> None:
        register_ended(app)
        endpoint_changes.note_ended(app)

    return app.background.repeat("registrar", every, look)


def _look_at(app: App, record: JobRecord) -> None:
    try:
        job = app.backend.training.describe(record.name)
    except NotFound:
        if datetime.now(UTC) - record.created > LOST:
            _finish(app, record.name, JobState.ENDED, "The training job was never started: start another.")
        return
    except Exception as error:  # continue with the other jobs
        log.warning("job cannot be described", job=record.name, error=repr(error))
        return
    if job.status is JobStatus.COMPLETED:
        _register(app, record, job)
    elif job.status.ended:
        _finish(app, record.name, JobState.ENDED)


def _register(app: App, record: JobRecord, job: TrainingJob) -> None:
    with _claimed(app, record.name) as claimed:
        if not claimed:
            return
        try:
            number = _registered(app, record, job)
        except Exception as error:  # one failing job must not block the others
            log.warning("model not registered", job=record.name, error=repr(error))
            reason = str(error) if isinstance(error, SconesError) else f"{type(error).__name__}: {error}"
            _finish(app, record.name, JobState.FAILED, f"The model of {record.name} could not be evaluated. {reason}")
            return
    if number is not None:
        _evaluate_champion(app, record.dataset)
        training.publish(app, number)


def _registered(app: App, record: JobRecord, job: TrainingJob) -> int | None:
    """The number of the new model version; None if another process was faster."""
    values, answers = _evaluated(app, job, record.dataset)
    with app.db.write() as connection:
        if not table.finish_job(connection, record.name, JobState.REGISTERED):
            return None
        number = table.add_model(connection, values)
        table.add_evaluation(connection, number, answers)
    log.info("model registered", job=record.name, model=f"v{number}")
    return number


def _evaluated(app: App, job: TrainingJob, dataset: str) -> tuple[dict[str, Any], table.Answers]:
    """(model version, its predictions for the test images) of a completed job."""
    if job.artifact_key is None:
        raise NotFound("The job produced no model artifact: start another.")
    sha256 = hashlib.sha256(app.backend.objects.get(job.artifact_key)).hexdigest()
    images = etl.images(app, dataset, TEST)
    config = EndpointConfig(job.name, job.artifact_key, sha256)
    probabilities = app.backend.endpoints.transform(config, [image.key for image in images])
    values = {
        "created": datetime.now(UTC),
        "training_job": job.name,
        "dataset": dataset,
        "hyperparameters": dict(job.hyperparameters),
        "metrics": {
            **evaluate([image.class_index for image in images], probabilities).as_dict(),
            "ece_floor": calibration_floor([max(row) for row in probabilities]).mean,
        },
        "artifact_key": job.artifact_key,
        "artifact_sha256": sha256,
        "seconds": job.seconds,
        "approval": str(Approval.PENDING),
    }
    answers = {(image.key, image.sha256): list(row) for image, row in zip(images, probabilities, strict=True)}
    return values, answers


def _evaluate_champion(app: App, dataset: str) -> None:
    """Evaluate the champion on the same images, for the comparison."""
    try:
        champion: ModelVersion | None = deployment.champion(app)
        if champion and set(champion.classes) == set(etl.get(app, dataset).classes):
            training.evaluate(app, champion, dataset)
    except SconesError as error:
        log.warning("champion not evaluated", dataset=dataset, error=str(error))


def _finish(app: App, name: str, state: JobState, failure: str | None = None) -> None:
    with app.db.write() as connection:
        table.finish_job(connection, name, state, failure)


@contextmanager
def _claimed(app: App, name: str) -> Iterator[bool]:
    """Whether the claim succeeded; it is renewed until the block ends."""
    owner = uuid.uuid4().hex

    def claim() -> bool:
        now = datetime.now(UTC)
        with app.db.write() as connection:
            return table.claim_job(connection, name, owner, now, now + CLAIM)

    if not claim():
        yield False
        return
    renewing = app.background.repeat(f"claim {name}", CLAIM.total_seconds() / 3, claim)
    try:
        yield True
    finally:
        app.background.end(renewing)
