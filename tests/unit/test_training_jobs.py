"""Training jobs survive, queue, stop and fail without hurting anything."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scones_core.errors import Conflict, Damaged, NotFound
from scones_core.ports import JobStatus, TrainingRequest
from scones_core.services import App, deployment, etl, registration, training
from tests.waiting import until


@pytest.fixture
def loaded(app: App, images: Path) -> App:
    etl.load(app, str(images))
    return app


def processes_of(home: Path) -> list[int]:
    """Those that run its jobs; not what one of them has forked, which bears its name until it executes another."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    lines = [line.split(None, 2) for line in listed.splitlines()[1:]]
    found = {int(pid): int(parent) for pid, parent, args in lines if str(home) in args and "training_runner" in args}
    return [pid for pid, parent in found.items() if parent not in found]


def test_a_job_ends_as_a_model_version_with_its_metrics(loaded: App):
    job = training.start(loaded, seed=3)
    seen: list[str] = []
    ended = registration.wait(loaded, job.name, on_log=seen.append)
    model = training.model_of_job(loaded, job.name)
    assert ended.status is JobStatus.COMPLETED
    assert model.id == "v1"
    assert model.metrics["accuracy"] > 0.8
    assert sum(map(sum, model.metrics["confusion"])) == 24
    assert model.hyperparameters["seed"] == "3"
    assert seen == list(loaded.backend.training.logs(job.name))
    assert ended.metrics


def test_jobs_queue_and_a_waiting_one_can_be_stopped(loaded: App):
    first, second = training.start(loaded), training.start(loaded)
    loaded.backend.training.stop(second.name)
    assert registration.wait(loaded, first.name).status is JobStatus.COMPLETED
    assert registration.wait(loaded, second.name).status is JobStatus.STOPPED
    assert [model.id for model in training.models(loaded)] == ["v1"]


def test_a_running_job_can_be_stopped(loaded: App):
    job = training.start(loaded)
    until(lambda: loaded.backend.training.describe(job.name).status is JobStatus.IN_PROGRESS)
    loaded.backend.training.stop(job.name)
    assert registration.wait(loaded, job.name).status is JobStatus.STOPPED
    assert training.models(loaded) == []


def test_looking_at_a_job_that_waits_starts_no_second_process(loaded: App):
    job, most = training.start(loaded), 0
    while not loaded.backend.training.describe(job.name).status.ended:
        most = max(most, len(processes_of(loaded.settings.home)))
    assert most <= 1


def test_a_killed_job_is_failed_and_the_queue_goes_on(loaded: App):
    job = training.start(loaded)
    until(lambda: loaded.backend.training.describe(job.name).status is JobStatus.IN_PROGRESS)
    for pid in processes_of(loaded.settings.home):
        os.kill(pid, signal.SIGKILL)
    ended = registration.wait(loaded, job.name)
    assert ended.status is JobStatus.FAILED
    assert "killed" in (ended.failure_reason or "")
    again = training.start(loaded)
    assert registration.wait(loaded, again.name).status is JobStatus.COMPLETED


def test_a_model_is_registered_by_the_next_registrar_after_a_restart(loaded: App, open_home: Callable[[], App]):
    job = training.start(loaded)
    until(lambda: loaded.backend.training.describe(job.name).status.ended)
    restarted = open_home()
    assert training.models(restarted) == []
    registration.register_ended(restarted)
    assert [model.id for model in training.models(restarted)] == ["v1"]
    assert [model.id for model in training.models(loaded)] == ["v1"]


def test_a_job_that_fails_says_why_and_leaves_no_model(loaded: App):
    job = training.start(loaded, hyperparameters={"num_classes": "seven"})
    ended = registration.wait(loaded, job.name)
    assert ended.status is JobStatus.FAILED
    assert ended.failure_reason
    assert training.models(loaded) == []


def test_an_empty_channel_is_refused(app: App):
    with pytest.raises(NotFound, match="channel train is empty"):
        app.backend.training.start(TrainingRequest("job", {"train": "train/"}, {}))


def test_a_job_name_is_used_once(loaded: App):
    channels = {"train": "train/", "train_lst": "train.lst"}
    loaded.backend.training.start(TrainingRequest("twice", channels, {}))
    with pytest.raises(Conflict, match="exists already"):
        loaded.backend.training.start(TrainingRequest("twice", channels, {}))
    loaded.backend.training.stop("twice")


def test_the_same_seed_gives_the_same_artifact(loaded: App):
    jobs = [training.start(loaded, seed=5) for _ in range(2)]
    for job in jobs:
        registration.wait(loaded, job.name)
    first, second = training.models(loaded)
    assert first.artifact_sha256 == second.artifact_sha256


def test_training_without_images_says_what_to_do(app: App):
    with pytest.raises(NotFound, match="load a dataset first"):
        training.start(app)


def test_an_artifact_that_was_tampered_with_is_not_deployed(serving: App, open_home: Callable[[], App]):
    model = training.model(serving)
    artifact = serving.backend.objects.get(model.artifact_key)
    serving.backend.objects.put(model.artifact_key, artifact[:-1] + b"?")
    restarted = open_home()
    with pytest.raises(Damaged):
        deployment.deploy(restarted, model.id)
    assert [change.model for change in deployment.history(serving)] == [1]
