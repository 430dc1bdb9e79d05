"""Models are registered in the background, one bad job keeps nothing from going on, and reads only read."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scones_core.db import models as table
from scones_core.domain.models import JobState
from scones_core.errors import NotFound, SconesError, Unavailable
from scones_core.services import (
    App,
    capture,
    classification,
    costs,
    deployment,
    etl,
    monitoring,
    overview,
    registration,
    retraining,
    review,
    review_figures,
    training,
)
from tests.conftest import MadeHome
from tests.waiting import LIMIT, until


class Endpoints:
    """An endpoint service whose batch inference fails, or waits for leave; counts what is asked."""

    def __init__(self, endpoints: Any) -> None:
        self._endpoints = endpoints
        self.leave = threading.Event()
        self.leave.set()
        self.error: Exception | None = None
        self.transforms = self.descriptions = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._endpoints, name)

    def describe(self, name: str) -> Any:
        self.descriptions += 1
        return self._endpoints.describe(name)

    def transform(self, *arguments: Any) -> Any:
        self.transforms += 1
        assert self.leave.wait(LIMIT)
        if self.error:
            raise self.error
        return self._endpoints.transform(*arguments)


@pytest.fixture(scope="module")
def ended_home(trained_home: Path, made_home: MadeHome) -> Path:
    """A home with a model in service, and a training job that has ended while nobody looked."""

    def fill(app: App) -> None:
        name = training.start(app, seed=1).name
        until(lambda: app.backend.training.describe(name).status.ended)

    return made_home("ended", fill, trained_home)


@pytest.fixture
def ended(ended_home: Path, tmp_path: Path, open_home: Callable[[], App]) -> App:
    shutil.copytree(ended_home, tmp_path / "home", symlinks=True)
    return open_home()


@pytest.fixture
def endpoints(ended: App) -> Endpoints:
    return Endpoints(ended.backend.endpoints)


@pytest.fixture
def watched(ended: App, endpoints: Endpoints) -> App:
    """An app with a model in service and an ended job, whose endpoint service is watched."""
    return replace(ended, backend=replace(ended.backend, endpoints=endpoints))


def ended_job(app: App) -> str:
    [name] = [name for name, record in training.records(app).items() if record.state is JobState.OPEN]
    return name


READS = {
    "status": overview.status,
    "models": training.models,
    "jobs": training.jobs,
    "champion": deployment.champion,
    "history": deployment.history,
    "monitor": monitoring.figures,
    "threshold": lambda app: monitoring.threshold_figures(app, 0.9),
    "labels": retraining.new_labels,
    "reviewed": review.reviewed,
    "queue": review_figures.queue,
    "captured": capture.captured,
    "costs": costs.of_endpoint,
}


def test_a_damaged_artifact_is_told_on_its_job_and_everything_else_goes_on(watched: App):
    name = ended_job(watched)
    watched.backend.objects.put(f"models/{name}/output/model.tar.gz", b"x")
    registration.register_ended(watched)
    record = training.records(watched)[name]
    assert record.state is JobState.FAILED
    assert "not a readable model.tar.gz" in str(record.failure)
    for read in READS.values():
        read(watched)
    with pytest.raises(SconesError, match=r"not a readable model\.tar\.gz"):
        training.model_of_job(watched, name)
    classification.classify(watched, classification.sample_keys(watched, 1))
    assert deployment.deploy(watched).config.model == "v1"


def test_what_failed_is_not_tried_again_until_somebody_asks(watched: App, endpoints: Endpoints):
    endpoints.error = Unavailable("A quota of your AWS account does not allow it.")
    name = ended_job(watched)
    for _ in range(3):
        registration.register_ended(watched)
        overview.status(watched)
    assert endpoints.transforms == 1
    assert "quota" in str(training.records(watched)[name].failure)
    endpoints.error = None
    registration.try_again(watched, name)
    registration.register_ended(watched)
    assert [model.id for model in training.models(watched)] == ["v2", "v1"]


def test_test_images_that_are_gone_are_told_on_the_job(watched: App):
    name = ended_job(watched)
    watched.backend.objects.delete(etl.images(watched, etl.get(watched).id, "test")[0].key)
    registration.register_ended(watched)
    assert training.records(watched)[name].state is JobState.FAILED
    assert overview.status(watched).champion == "v1"


def test_a_job_that_is_looked_at_while_it_starts_is_not_lost(serving: App):
    class Slow:
        """Shows others the moment between the note of a job and its start."""

        def __getattr__(self, name: str) -> Any:
            return getattr(serving.backend.training, name)

        def start(self, request: Any) -> Any:
            registration.register_ended(serving)
            for read in READS.values():
                read(serving)
            return serving.backend.training.start(request)

    slow = replace(serving, backend=replace(serving.backend, training=Slow()))
    registration.wait(serving, training.start(slow).name)
    assert [model.id for model in training.models(serving)] == ["v2", "v1"]


def test_a_job_that_was_never_started_ends_after_a_while(serving: App):
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with serving.db.write() as connection:
        table.add_job(connection, "lost", etl.get(serving).id, long_ago)
    registration.register_ended(serving)
    assert training.records(serving)["lost"].state is JobState.ENDED


def test_two_processes_register_a_model_once(watched: App, endpoints: Endpoints):
    endpoints.leave.clear()
    first = threading.Thread(target=registration.register_ended, args=(watched,))
    first.start()
    until(lambda: endpoints.transforms)
    registration.register_ended(watched)  # the job is claimed
    endpoints.leave.set()
    first.join(LIMIT)
    assert endpoints.transforms == 1
    assert [model.id for model in training.models(watched)] == ["v2", "v1"]


def test_a_claim_of_a_killed_process_runs_out(ended: App):
    name, now = ended_job(ended), datetime.now(UTC)
    with ended.db.write() as connection:
        assert table.claim_job(connection, name, "killed", now, now + registration.CLAIM)
        assert not table.claim_job(connection, name, "next", now, now + registration.CLAIM)
        later = now + registration.CLAIM
        assert table.claim_job(connection, name, "next", later, later + registration.CLAIM)


def test_the_registrar_goes_on_after_an_error(watched: App, endpoints: Endpoints):
    broken, back = watched.backend.training, threading.Event()

    class Flaky:
        def __getattr__(self, name: str) -> Any:
            if not back.is_set():
                back.set()
                raise OSError("a passing error")
            return getattr(broken, name)

    flaky = replace(watched, backend=replace(watched.backend, training=Flaky()))
    loop = registration.watch(flaky, every=0.01)
    until(lambda: len(training.models(watched)) == 2)
    assert loop.alive


def statements(app: App, read: Any) -> list[str]:
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    sa.event.listen(app.db.engine, "before_cursor_execute", note)
    read(app)
    sa.event.remove(app.db.engine, "before_cursor_execute", note)
    return found


@pytest.mark.parametrize("name", READS)
def test_reads_write_nothing_and_wait_for_no_job(watched: App, endpoints: Endpoints, name: str):
    made = statements(watched, READS[name])
    assert not [one for one in made if one.split()[0] in ("INSERT", "UPDATE", "DELETE") or "IMMEDIATE" in one]
    assert endpoints.transforms == 0


def test_an_overview_is_six_statements_and_one_look_at_the_endpoint(watched: App, endpoints: Endpoints):
    classification.classify(watched, classification.sample_keys(watched, 3, seed=0))
    capture.ingest(watched)
    endpoints.descriptions = 0
    made = statements(watched, overview.overview)
    assert len(made) <= 6
    assert endpoints.descriptions == 1


def test_an_undo_waits_for_no_job(watched: App, endpoints: Endpoints):
    classification.classify(watched, classification.sample_keys(watched, 3, seed=0))
    capture.ingest(watched)
    review.decide(watched, review.next_items(watched, "ann")[0].id, "bicycle", "ann")
    assert review.undo(watched, "ann").status == "pending"


def test_a_comparison_that_nobody_has_evaluated_says_so(challenged: App):
    models = {model.id: model for model in training.models(challenged)}
    with challenged.db.write() as connection:
        connection.execute(sa.text("DELETE FROM evaluations WHERE model = 1"))
    with pytest.raises(NotFound, match="v1 has not been evaluated"):
        retraining.comparison(challenged, models["v1"], models["v2"])
    training.evaluate(challenged, models["v1"], models["v2"].dataset)
    assert retraining.comparison(challenged, models["v1"], models["v2"]).images == models["v2"].accuracy.images


def test_a_deployment_takes_the_newest_model_that_was_not_rejected(challenged: App):
    deployment.promote(challenged)
    deployment.rollback(challenged)
    assert deployment.deploy(challenged).config.model == "v1"
