"""Loops outlive their errors, tasks are kept by name, and a thread that has ended is seen from another process."""

import json
import os
import threading
from dataclasses import replace
from typing import Any

import pytest

from scones_core.db import notifications
from scones_core.services import App, background, doctor, embedding_store, embeddings, notification, processes
from scones_core.services.background import Background
from tests.conftest import png
from tests.waiting import LIMIT, until


@pytest.mark.parametrize("error", [OSError("disk"), KeyError("x"), RecursionError(), AttributeError("y")])
def test_a_loop_goes_on_after_any_error_and_says_which(error: Exception):
    background, calls, well = Background(), [0], threading.Event()

    def step() -> None:
        calls[0] += 1
        if not well.is_set():
            raise error

    loop = background.repeat("registrar", 0.001, step)
    until(lambda: calls[0] > 3 and loop.failure)
    assert type(error).__name__ in str(loop.failure)
    well.set()
    until(lambda: loop.failure is None)
    assert loop.alive
    background.end(loop)
    assert not loop.alive
    assert not background.loops()


def test_closing_wakes_a_step_that_rests_and_waits_for_its_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(background, "CLOSE", LIMIT)
    loops, begun, done = Background(), threading.Event(), []

    def step() -> None:
        begun.set()
        loops.rest(10 * LIMIT)
        done.append(loops.closing)

    loops.repeat("embeddings", 0.001, step)
    assert begun.wait(LIMIT)
    loops.close()
    assert done == [True]


def test_an_app_that_is_closed_ends_its_embedding_after_a_batch(captured: App):
    wanted = [(f"{number}", lambda: png(0, upright=True)) for number in range(2 * embeddings.BATCH)]
    before = embedding_store.embedded(captured)
    captured.background.close()
    assert embeddings.embed_new(captured) == 0
    embeddings.embed(captured, wanted)
    assert embedding_store.embedded(captured) == before + embeddings.BATCH


def test_the_look_after_failures_goes_on_after_a_passing_error(serving: App, monkeypatch: pytest.MonkeyPatch):
    calls, real = [0], notifications.last_told

    def flaky(connection: Any) -> Any:
        calls[0] += 1
        if calls[0] == 1:
            raise RuntimeError("a passing error")
        return real(connection)

    class Notifier:
        def channels(self) -> list[str]:
            return ["somebody"]

    monkeypatch.setattr(notifications, "last_told", flaky)
    told = replace(serving, backend=replace(serving.backend, notifier=Notifier()))  # type: ignore[arg-type]
    loop = notification.watch(told, every=0.001)
    assert loop
    until(lambda: calls[0] > 1 and loop.failure is None)
    serving.background.end(loop)


def test_forgetting_a_task_leaves_another_one_of_its_name(serving: App):
    background, leave = Background(), threading.Event()
    first = background.start("serving", "Deploying v1", lambda _progress: None)
    first.wait(LIMIT)
    second = background.start("serving", "Deploying v2", lambda _progress: leave.wait(LIMIT))
    background.forget("serving", first)
    assert background.get("serving") is second
    leave.set()


def checked(app: App) -> doctor.Check:
    return next(check for check in doctor.checks(app) if check.name == "background")


def test_the_doctor_sees_a_thread_that_has_ended_here(serving: App):
    assert checked(serving).ok
    dead = replace(serving, backend=replace(serving.backend, threads=lambda: {"executions-writer": False}))
    assert "“executions-writer” has ended" in checked(dead).detail


def test_the_doctor_sees_a_thread_that_has_ended_in_another_process(serving: App):
    folder = serving.settings.home / processes.FOLDER
    processes.note(replace(serving, backend=replace(serving.backend, threads=lambda: {"executions-writer": False})))
    (folder / f"{os.getpid()}.json").rename(folder / f"{os.getppid()}.json")
    found = checked(serving)
    assert not found.ok
    assert f"process {os.getppid()} “executions-writer” has ended" in found.detail


def test_notes_of_processes_that_are_gone_or_damaged_are_passed_over(serving: App):
    folder = serving.settings.home / processes.FOLDER
    folder.mkdir()
    gone = folder / "4194399.json"  # beyond the largest process id
    for text in (json.dumps({"time": "2026-01-01T00:00:00Z", "ended": ["x"], "failing": {}}), "{", ""):
        gone.write_text(text, encoding="utf-8")
        (folder / f"{os.getppid()}.json").write_text("{", encoding="utf-8")
        assert checked(serving).ok
        assert not gone.exists()


def test_the_doctor_outlives_what_it_diagnoses(serving: App):
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise ZeroDivisionError(name)

    found = doctor.checks(replace(serving, backend=replace(serving.backend, machines=Broken(), endpoints=Broken())))
    failed = {check.name: check.detail for check in found if not check.ok}
    assert {"state machines", "endpoint"} <= set(failed)
    assert "ZeroDivisionError" in failed["endpoint"]
