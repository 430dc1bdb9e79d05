"""The guided demo on the Overview page: a home of its own, cancel, and deletion."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scones_core.errors import BadInput, Conflict
from scones_core.services import App, background, deployment, etl, training
from scones_core.services.background import Background
from scones_core.services.demo import Stage, StageResult
from scones_core.ui.overview.demo_runner import DemoRunner, Story
from scones_core.ui.shell.demo_home import DemoHome
from tests.waiting import LIMIT, until


@pytest.fixture
def home(app: App) -> Iterator[DemoHome]:
    found = DemoHome(app.settings)
    yield found
    found.close()


@pytest.fixture
def runner(home: DemoHome) -> DemoRunner:
    return DemoRunner(home, Background())


def ended(story: Story) -> Story:
    assert story.task
    story.task.wait(LIMIT)
    assert not story.running
    return story


def test_stages_are_kept_in_order_and_only_one_demo_runs_at_a_time(runner: DemoRunner):
    go_on = threading.Event()

    def run(_app: App, **_: object) -> Iterator[StageResult]:
        yield StageResult(Stage.ETL, "images")
        go_on.wait(LIMIT)
        yield StageResult(Stage.TRAIN, "model")

    story = runner.start(source="sample", images=20, run=run)
    with pytest.raises(Conflict, match="still running"):
        runner.start(source="sample", images=20, run=run)
    with pytest.raises(Conflict, match="still running"):
        runner.reset()
    go_on.set()
    assert [one.stage for one in ended(story).results] == [Stage.ETL, Stage.TRAIN]
    assert story.current is None
    assert story.error is None


def test_a_demo_that_fails_says_where_and_shows_no_traceback(runner: DemoRunner, caplog: pytest.LogCaptureFixture):
    def run(_app: App, **_: object) -> Iterator[StageResult]:
        yield StageResult(Stage.ETL, "images")
        raise ValueError("/secret/path")

    story = ended(runner.start(source="sample", images=20, run=run))
    assert story.current is Stage.TRAIN
    assert story.error is not None
    assert "secret" not in story.error
    assert "secret" in caplog.text


def test_a_discarded_demo_stays_gone_though_something_was_being_written(
    home: DemoHome, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(background, "CLOSE", LIMIT)
    app, begun, over = home.new(), threading.Event(), threading.Event()

    def write() -> None:
        begun.set()
        while not app.background.closing:
            app.backend.objects.put("early", b"x")
        for number in range(500):
            app.backend.objects.put(f"late/{number}", b"x")
        over.set()

    app.background.repeat("writer", 0.001, write)
    assert begun.wait(LIMIT)
    home.discard()
    assert over.is_set()
    assert not home.exists


def test_a_demo_of_no_images_is_refused(runner: DemoRunner):
    with pytest.raises(BadInput, match="between 1 and"):
        runner.start(source="sample", images=0)


def test_a_cancelled_demo_ends_at_its_next_step(runner: DemoRunner):
    begun = threading.Event()

    def run(_app: App, *, progress: Any, **_: object) -> Iterator[StageResult]:
        yield StageResult(Stage.ETL, "images")
        while True:
            begun.set()
            progress(1, 2, "images")

    story = runner.start(source="sample", images=20, run=run)
    begun.wait(LIMIT)
    story.cancel()
    assert ended(story).cancelled
    assert not story.finished


def test_a_cancelled_demo_stops_its_training_job(runner: DemoRunner, images: Path):
    story = runner.start(source=str(images), images=20)
    until(lambda: not story.running or training.jobs(story.app))
    story.cancel()
    assert ended(story).cancelled
    assert all(job.status.ended for job in training.jobs(story.app))


def test_the_demo_touches_nothing_that_serves_and_can_be_deleted(
    serving: App, runner: DemoRunner, home: DemoHome, images: Path
):
    before = (etl.current(serving), deployment.endpoint(serving), training.models(serving))
    story = ended(runner.start(source=str(images), images=20))
    assert story.error is None
    assert story.finished
    assert training.models(story.app)
    assert (etl.current(serving), deployment.endpoint(serving), training.models(serving)) == before
    assert story.app.settings.home.is_relative_to(serving.settings.home)
    again = DemoHome(serving.settings)  # as after a restart of the server
    assert (reopened := again.open()) is not None
    assert [model.id for model in training.models(reopened)] == [model.id for model in training.models(story.app)]
    again.close()
    runner.reset()
    assert runner.story is None
    assert home.open() is None
    assert not home.exists
