"""Killed at any moment, the app leaves a home that heals itself: nothing acknowledged is lost, doubled or left running.

`SCONES_KILL_ROUNDS=200 python -m pytest tests/unit/test_killed.py` is the long form.
"""

import hashlib
import os
import random
import shutil
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect

from scones_core.bootstrap import open_app
from scones_core.db.schema import decisions, inferences
from scones_core.errors import Conflict, SconesError
from scones_core.ports import ExecutionStatus
from scones_core.services import (
    App,
    batch,
    capture,
    classification,
    deployment,
    endpoint_changes,
    etl,
    monitoring,
    overview,
    retraining,
    review,
    training,
)
from scones_core.settings import Settings
from tests.conftest import write_images

ROUNDS = int(os.environ.get("SCONES_KILL_ROUNDS", "6"))
ACKNOWLEDGED = "acknowledged.txt"


@pytest.fixture(scope="module")
def ready_home(challenged_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A champion, a challenger, captured inferences of which some are reviewed, and images to be loaded."""
    folder = tmp_path_factory.mktemp("ready")
    shutil.copytree(challenged_home, folder / "home", symlinks=True)
    write_images(folder / "images", train=3, test=3, pool=2)
    app = open_app(Settings(home=folder / "home"))
    classification.classify(app, classification.sample_keys(app, 16, seed=0))
    capture.ingest(app)
    for item in review.next_items(app, "ann", count=4):
        review.decide(app, item.id, "bicycle", "ann")
    classification.classify(app, classification.sample_keys(app, 4, seed=1))
    app.close()
    return folder


def decide(app: App, _folder: Path) -> Iterator[str]:
    for item in review.next_items(app, "bob"):
        key = uuid.uuid4().hex
        review.decide(app, item.id, "motorcycle", "bob", key=key)
        yield f"decision {key}"


def classify(app: App, _folder: Path) -> Iterator[str]:
    [found] = classification.classify(app, classification.sample_keys(app, 1))
    yield f"execution {found.name}"


def ingest(app: App, _folder: Path) -> Iterator[str]:
    capture.ingest(app)
    yield "ingest"


def promote(app: App, _folder: Path) -> Iterator[str]:
    with suppress(Conflict):
        yield f"model {deployment.promote(app).config.model}"
        return
    yield f"model {deployment.rollback(app).config.model}"


def load(app: App, folder: Path) -> Iterator[str]:
    yield f"dataset {etl.load(app, str(folder / 'images')).id}"


def send_batch(app: App, _folder: Path) -> Iterator[str]:
    yield f"execution {batch.wait(app, batch.start(app, sample=2)).name}"


def set_threshold(app: App, _folder: Path) -> Iterator[str]:
    monitoring.set_threshold(app, 0.5)
    yield "threshold"


def new_dataset(app: App, _folder: Path) -> Iterator[str]:
    yield f"dataset {retraining.new_dataset(app).id}"


OPERATIONS: tuple[Callable[[App, Path], Iterator[str]], ...] = (
    decide,
    classify,
    ingest,
    promote,
    load,
    send_batch,
    set_threshold,
    new_dataset,
)


def in_a_process(work: Callable[[], None]) -> int:
    """Run `work` in a fork of this process, which has opened no home; returns its id."""
    if child := os.fork():
        return child
    try:
        work()
    except BaseException:
        os._exit(1)
    os._exit(0)


def acknowledge(folder: Path, text: str) -> None:
    with (folder / ACKNOWLEDGED).open("a") as file:
        file.write(f"{text}\n")


def acknowledged(folder: Path) -> list[str]:
    with suppress(FileNotFoundError):
        return (folder / ACKNOWLEDGED).read_text().splitlines()
    return []


def work_on(folder: Path, seed: int) -> None:
    draw, app = random.Random(seed), open_app(Settings(home=folder / "home"))
    while True:
        with suppress(SconesError):  # the other process was quicker, or holds the lock
            for told in draw.choice(OPERATIONS)(app, folder):
                acknowledge(folder, told)


def check(folder: Path) -> None:
    """What must hold of a home whose processes were killed, once it has been opened again."""
    app = open_app(Settings(home=folder / "home"))
    told = [line.split() for line in acknowledged(folder)]
    endpoint_changes.note_ended(app)
    running = app.backend.workflows.list(status=ExecutionStatus.RUNNING)
    assert not running, "nothing runs whose process is gone"
    for name in (words[1] for words in told if words[0] == "execution"):
        assert app.backend.workflows.describe(name).status is not ExecutionStatus.RUNNING
    capture.ingest(app)
    with app.db.read() as connection:
        keys = Counter(connection.scalars(sa.select(decisions.c.idempotency_key).where(decisions.c.reviewer == "bob")))
        events = connection.execute(sa.select(inferences.c.event_id, inferences.c.image_sha256)).all()
    for words in told:
        assert words[0] != "decision" or keys[words[1]] == 1, "a decision is there once"
    for event, sha256 in events:
        assert hashlib.sha256(capture.image(app, event)).hexdigest() == sha256
    for version in etl.versions(app):
        for image in etl.images(app, version.id):
            assert hashlib.sha256(etl.image(app, image.key)).hexdigest() == image.sha256
    assert {words[1] for words in told if words[0] == "dataset"} <= {version.id for version in etl.versions(app)}
    assert float(app.backend.workflows.environment().get("THRESHOLD", 0.93)) == monitoring.threshold(app)
    serving, champion = deployment.get_endpoint(app), deployment.champion(app)
    assert champion
    assert champion.id == serving.config.model
    assert training.model(app, champion.id).approval == "Approved"
    assert overview.status(app).champion == champion.id
    app.close()


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_two_processes_are_killed_at_a_random_moment(ready_home: Path, tmp_path: Path, seed: int):
    folder, draw = tmp_path / "ready", random.Random(seed)
    shutil.copytree(ready_home, folder, symlinks=True)
    for _ in range(3):
        enough = len(acknowledged(folder)) + draw.randint(1, 8)
        workers = [in_a_process(lambda: work_on(folder, draw.randrange(10**9) + os.getpid())) for _ in range(2)]
        while len(acknowledged(folder)) < enough:
            for worker in workers:
                assert os.waitpid(worker, os.WNOHANG) == (0, 0), "a worker ended by itself"
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        for worker in workers:
            os.waitpid(worker, 0)
        check(folder)


def die_after(steps: int) -> None:
    """End this process, as a kill does, right after so many more durable steps: commits and files put into place."""
    left = iter(range(steps - 1))
    replace, commit = Path.replace, DefaultDialect.do_commit

    def step() -> None:
        if next(left, None) is None:
            os._exit(9)

    def replaced(self: Path, target: Path) -> Path:
        done = replace(self, target)
        step()
        return done

    def committed(self: Any, connection: Any) -> None:
        commit(self, connection)
        step()

    Path.replace, DefaultDialect.do_commit = replaced, committed  # type: ignore[method-assign, assignment]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_killed_after_each_durable_step(
    ready_home: Path, tmp_path: Path, operation: Callable[[App, Path], Iterator[str]]
):
    for steps in range(1, 200):
        folder = tmp_path / f"{steps}"
        shutil.copytree(ready_home, folder, symlinks=True)

        def work(folder: Path = folder, steps: int = steps) -> None:
            app = open_app(Settings(home=folder / "home"))
            die_after(steps)
            for told in operation(app, folder):
                acknowledge(folder, told)

        _pid, status = os.waitpid(in_a_process(work), 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (0, 9), "the operation failed"
        check(folder)
        shutil.rmtree(folder)
        if code == 0:
            return
    raise AssertionError("the operation has no end")
