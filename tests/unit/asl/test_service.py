"""The embedded workflow service: executions by name, their histories, lists and stops."""

import json
import sqlite3
import sys
import threading
from contextlib import closing
from typing import Any

import pytest

from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.ports import ExecutionStatus
from tests.unit.asl.home import WAIT, Home, ended
from tests.unit.asl.machines import one, task
from tests.waiting import LIMIT, until

# One execution


def test_an_execution_runs_and_keeps_its_end(home: Home):
    service = home.open()
    started = service.start("pass", "one", {"a": "é"})
    assert (started.status, started.input, started.stopped) == (ExecutionStatus.RUNNING, {"a": "é"}, None)
    execution = ended(service, "one")
    assert (execution.status, execution.output, execution.error) == (ExecutionStatus.SUCCEEDED, {"a": "é"}, None)
    assert execution.stopped is not None
    assert execution.stopped >= execution.started


def test_an_execution_is_on_disk_before_start_returns(home: Home):
    service = home.open()
    service.start("wait", "one", {})
    with closing(sqlite3.connect(home.folder / "home" / "executions.sqlite")) as connection:
        assert connection.execute("SELECT name, status FROM executions").fetchall() == [("one", "RUNNING")]


def test_the_history_is_the_one_of_the_api(home: Home):
    service = home.open()
    service.start("pass", "one", {"a": 1})
    ended(service, "one")
    events = service.history("one")
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    details = events[0]["executionStartedEventDetails"]
    assert (details["input"], details["inputDetails"]) == ('{"a":1}', {"truncated": False})
    assert details["roleArn"].startswith("arn:aws:iam::")
    assert all(event["timestamp"].endswith("+00:00") for event in events)


def test_the_history_grows_while_the_execution_runs(home: Home):
    service = home.open()
    service.start("wait", "one", {})
    until(lambda: len(service.history("one")) == 2)
    assert service.history("one")[-1]["type"] == "WaitStateEntered"


def test_an_error_of_a_function_is_the_error_of_the_execution(home: Home):
    def f(event: Any) -> Any:
        raise KeyError("no such thing")

    service = home.open(f=f)
    service.start("call", "one", {})
    execution = ended(service, "one")
    assert (execution.status, execution.error) == (ExecutionStatus.FAILED, "KeyError")
    cause = json.loads(execution.cause or "")
    assert (cause["errorType"], cause["errorMessage"]) == ("KeyError", "'no such thing'")
    assert str(home.folder) not in str(cause)


def test_a_function_that_exits_fails_its_execution_only(home: Home):
    def f(event: Any) -> Any:
        sys.exit(3)

    service = home.open(f=f)
    service.start("call", "one", {})
    assert ended(service, "one").error == "Runtime.ExitError"
    service.start("pass", "two", {})
    assert ended(service, "two").status is ExecutionStatus.SUCCEEDED


def test_a_function_cannot_change_the_data_of_the_execution(home: Home):
    def f(event: dict[str, Any]) -> Any:
        event["list"].append(1)
        return "done"

    service = home.open(f=f)
    service.put("call", one(task("f", ResultPath="$.result")))
    service.start("call", "one", {"list": []})
    assert ended(service, "one").output == {"list": [], "result": "done"}


def test_half_a_surrogate_pair_in_an_output_is_kept(home: Home):
    service = home.open(f=lambda event: "\ud800")
    service.start("call", "one", {})
    assert ended(service, "one").output == "\ud800"


# Names


def test_the_same_name_and_input_is_the_same_execution_while_it_runs(home: Home):
    service = home.open()
    first = service.start("wait", "one", {"a": 1})
    again = service.start("wait", "one", {"a": 1})
    assert again.started == first.started
    assert len(service.list()) == 1


@pytest.mark.parametrize(("machine", "given"), [("wait", {"a": 2}), ("pass", {"a": 1})])
def test_the_same_name_for_anything_else_is_a_conflict(home: Home, machine: str, given: Any):
    service = home.open()
    service.start("wait", "one", {"a": 1})
    with pytest.raises(Conflict, match="ExecutionAlreadyExists"):
        service.start(machine, "one", given)


def test_the_name_of_an_ended_execution_is_taken(home: Home):
    service = home.open()
    service.start("pass", "one", {})
    ended(service, "one")
    with pytest.raises(Conflict, match="ExecutionAlreadyExists"):
        service.start("pass", "one", {})


def test_of_many_threads_that_start_one_name_one_execution_comes(home: Home):
    calls = []
    service = home.open(f=lambda event: calls.append(1))
    service.put("call", one(task("f", Next="W"), W=WAIT["States"]["S"]))
    threads = [threading.Thread(target=service.start, args=("call", "one", {})) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: calls)
    assert len(calls) == 1


@pytest.mark.parametrize("name", ["", "a b", "x" * 81, "a/b"])
def test_a_name_that_aws_would_not_take_is_refused(home: Home, name: str):
    with pytest.raises(BadInput, match="is not a valid execution name"):
        home.open().start("pass", name, {})


@pytest.mark.parametrize("given", [{"a": float("nan")}, {"a": object()}, {"a": "\ud800"}])
def test_an_input_that_is_no_json_is_refused(home: Home, given: Any):
    with pytest.raises(BadInput, match="not JSON"):
        home.open().start("pass", "one", given)


def test_an_input_beyond_the_quota_is_refused(home: Home):
    with pytest.raises(BadInput, match="262,144"):
        home.open().start("pass", "one", "x" * 262_143)


def test_what_does_not_exist_is_not_found(home: Home):
    service = home.open()
    for ask in (service.describe, service.history, service.stop, service.map_runs):
        with pytest.raises(NotFound, match="No execution 'none'"):
            ask("none")
    with pytest.raises(NotFound, match="No state machine 'none'"):
        service.start("none", "one", {})


# Lists


def test_the_list_is_filtered_and_paged_newest_first(home: Home):
    service = home.open()
    for number in range(5):
        service.start("pass", f"p{number}", {})
        ended(service, f"p{number}")
    service.start("wait", "w", {})

    def names(**filters: Any) -> list[str]:
        return [execution.name for execution in service.list(**filters)]

    assert names() == ["w", "p4", "p3", "p2", "p1", "p0"]
    assert names(machine="pass", limit=2) == ["p4", "p3"]
    assert names(machine="pass", limit=2, before="p3") == ["p2", "p1"]
    assert names(status=ExecutionStatus.RUNNING) == ["w"]
    assert names(machine="pass", status=ExecutionStatus.FAILED) == []


# Stops


def test_a_stopped_execution_is_aborted_with_error_and_cause(home: Home):
    service = home.open()
    service.start("wait", "one", {})
    service.stop("one", error="Enough", cause="it takes too long")
    execution = ended(service, "one")
    assert (execution.status, execution.error, execution.cause) == (
        ExecutionStatus.ABORTED,
        "Enough",
        "it takes too long",
    )
    assert service.history("one")[-1]["executionAbortedEventDetails"] == {
        "error": "Enough",
        "cause": "it takes too long",
    }


def test_stopping_an_ended_execution_changes_nothing(home: Home):
    service = home.open()
    service.start("pass", "one", {})
    before = ended(service, "one")
    service.stop("one")
    assert service.describe("one") == before


def test_a_function_at_work_does_not_hold_up_a_stop(home: Home):
    release = threading.Event()
    service = home.open(f=lambda event: release.wait(LIMIT))
    service.start("call", "one", {})
    until(lambda: len(service.history("one")) >= 4)
    service.stop("one")
    assert ended(service, "one").status is ExecutionStatus.ABORTED
    release.set()
