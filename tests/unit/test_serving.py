"""Putting a model into service from a page that cannot wait for it."""

import threading
from typing import Any

import pytest

from scones_core.errors import Conflict, SconesError, Unavailable
from scones_core.services.background import Background
from scones_core.ui.shell import background_deploy as serving
from tests.waiting import LIMIT


@pytest.fixture(autouse=True)
def tasks(monkeypatch: pytest.MonkeyPatch) -> Background:
    tasks = Background()
    monkeypatch.setattr(serving, "get_background", lambda: tasks)
    monkeypatch.setattr(serving, "_PATIENCE", LIMIT)
    return tasks


def change(work: Any) -> str:
    return serving.change_serving("Deploying v2", work, lambda result: f"{result} serves")


def test_a_quick_change_is_told_when_it_has_ended():
    assert change(lambda: "v2") == "v2 serves"


def test_a_slow_change_goes_on_and_bars_a_second_one(tasks: Background, monkeypatch: pytest.MonkeyPatch):
    leave = threading.Event()
    monkeypatch.setattr(serving, "_PATIENCE", 0.01)
    assert change(lambda: leave.wait(LIMIT) and "v2") == "Deploying v2…"
    with pytest.raises(Conflict, match="Deploying v2 is still running"):
        change(lambda: "v3")
    leave.set()
    task = tasks.get("serving")
    assert task
    task.wait(LIMIT)
    assert task.result == "v2"


def test_what_goes_wrong_soon_is_said_once(tasks: Background):
    def fail() -> None:
        raise Unavailable("There is no instance left.")

    with pytest.raises(SconesError, match="no instance left"):
        change(fail)
    assert tasks.get("serving") is None
