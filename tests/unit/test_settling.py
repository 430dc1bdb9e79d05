"""A model is measured once its job has ended; whoever cannot wait for that is told of it."""

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from scones_core.errors import Unavailable
from scones_core.services import App, etl, training


class Slow:
    """An endpoint service whose batch inference waits for leave, as SageMaker's takes minutes."""

    def __init__(self, endpoints: Any) -> None:
        self._endpoints = endpoints
        self.leave = threading.Event()
        self.begun = 0
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._endpoints, name)

    def transform(self, *arguments: Any) -> Any:
        self.begun += 1
        self.leave.wait(20)
        if self.error:
            raise self.error
        return self._endpoints.transform(*arguments)


@pytest.fixture
def slow(app: App) -> Slow:
    return Slow(app.backend.endpoints)


@pytest.fixture
def impatient(app: App, slow: Slow) -> App:
    """An app with a training job that has ended, as a page has it."""
    page = replace(app, patience=0.05, backend=replace(app.backend, endpoints=slow))
    etl.load(page, "sample")
    training.wait(page, training.start(page).name)
    return page


def test_a_look_at_the_models_does_not_wait_for_batch_inference(impatient: App, slow: Slow):
    for _ in range(20):
        assert training.models(impatient) == []
    assert training.measuring(impatient) == [job.name for job in training.jobs(impatient)]
    slow.leave.set()
    assert [model.id for model in settled(impatient)] == ["v1"]
    assert training.measuring(impatient) == []
    assert slow.begun == 1


def test_batch_inference_that_failed_is_told_and_tried_again(impatient: App, slow: Slow):
    slow.error = Unavailable("A quota of your AWS account does not allow it.")
    slow.leave.set()
    with pytest.raises(Unavailable, match="quota"):
        settled(impatient)
    slow.error = None
    assert [model.id for model in settled(impatient)] == ["v1"]


def settled(app: App) -> list[Any]:
    """The models, once there is one."""
    deadline = time.monotonic() + 20
    while not (models := training.models(app)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return models
