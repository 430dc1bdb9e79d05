"""What a training service does, on every backend."""

from datetime import UTC, datetime, timedelta

import pytest

from scones_core.errors import Conflict, NotFound
from scones_core.ports import Backend, JobStatus, TrainingJob, TrainingRequest
from tests.contract.conftest import CLASSES, ended, training_request, until


def test_a_completed_job_has_an_artifact_and_times(backend: Backend, trained: TrainingJob):
    assert trained.artifact_key.endswith("output/model.tar.gz")
    assert backend.objects.get(trained.artifact_key).startswith(b"\x1f\x8b")
    assert trained.created <= trained.started <= trained.ended
    assert abs(datetime.now(UTC) - trained.created) < timedelta(hours=2)
    assert trained.seconds > 0
    assert trained.failure_reason is None


def test_a_job_keeps_all_its_hyperparameters(trained: TrainingJob):
    assert trained.hyperparameters["classes"] == CLASSES
    assert trained.hyperparameters["seed"] == "0"


def test_the_log_is_there_line_by_line_with_times(backend: Backend, trained: TrainingJob):
    lines = backend.training.logs(trained.name)
    times = [datetime.fromisoformat(line.partition(" ")[0]) for line in lines]
    assert times == sorted(times)
    assert any("#quality_metric" in line for line in lines)


def test_the_metrics_are_in_the_order_they_were_logged(backend: Backend, trained: TrainingJob):
    metrics = backend.training.describe(trained.name).metrics
    assert {"train:accuracy", "validation:accuracy"} <= {name for _, name, _ in metrics}
    assert [seconds for seconds, _, _ in metrics] == sorted(seconds for seconds, _, _ in metrics)
    assert all(0 <= value <= 1 for _, name, value in metrics if name.endswith("accuracy"))


def test_jobs_are_listed_newest_first(backend: Backend, trained: TrainingJob):
    listed = backend.training.list()
    assert trained.name in [job.name for job in listed]
    assert [job.created for job in listed] == sorted((job.created for job in listed), reverse=True)


def test_a_job_name_is_used_once(backend: Backend, trained: TrainingJob):
    with pytest.raises(Conflict, match="exists already"):
        backend.training.start(training_request(trained.name))


def test_an_empty_channel_is_refused(backend: Backend, prefix: str):
    with pytest.raises(NotFound, match="channel train is empty"):
        backend.training.start(TrainingRequest("empty", {"train": prefix}, {}))
    with pytest.raises(NotFound):
        backend.training.describe("empty")


@pytest.mark.parametrize("name", ["never-was", "not a name", ""])
def test_an_unknown_job_is_not_found(backend: Backend, name: str):
    with pytest.raises(NotFound, match="No training job"):
        backend.training.describe(name)


def test_a_running_job_can_be_stopped(backend: Backend, image_keys: list[str]):
    job = backend.training.start(training_request())
    until(lambda: backend.training.describe(job.name).status is not JobStatus.PENDING)
    backend.training.stop(job.name)
    stopped = ended(backend, job.name)
    assert stopped.status is JobStatus.STOPPED
    assert stopped.artifact_key is None


def test_stopping_a_job_that_has_ended_does_nothing(backend: Backend, trained: TrainingJob):
    backend.training.stop(trained.name)
    assert backend.training.describe(trained.name).status is JobStatus.COMPLETED


def test_a_job_that_fails_says_why(backend: Backend, image_keys: list[str]):
    job = backend.training.start(training_request(num_classes="seven"))
    failed = ended(backend, job.name)
    assert failed.status is JobStatus.FAILED
    assert failed.failure_reason
    assert failed.artifact_key is None
