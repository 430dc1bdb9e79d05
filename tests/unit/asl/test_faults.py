"""What goes wrong around executions must not outlast them: failed children, errors of functions, costly inputs."""

import sqlite3
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scones_core.domain.history import state_runs
from scones_core.errors import BadInput
from scones_core.local.workflow import LocalWorkflows
from scones_core.local.workflow.writer import Writer
from scones_core.ports import ExecutionStatus
from tests.unit.asl.home import Home, ended
from tests.unit.asl.machines import FUNCTION, one
from tests.waiting import LIMIT, until

ITEMS = 1_000


def standard_map(**fields: Any) -> dict[str, Any]:
    """A distributed Map whose children call the function f and are executions with a history."""
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    processor = {**config, "StartAt": "I", "States": {"I": {"Type": "Task", "Resource": FUNCTION + "f", "End": True}}}
    return dict(one({"Type": "Map", "Label": "Items", "ItemProcessor": processor, **fields}))


def assert_it_still_works(service: LocalWorkflows) -> None:
    service.start("pass", "afterwards", {"a": 1})
    assert ended(service, "afterwards").output == {"a": 1}
    assert all(service.threads().values())


def test_one_failed_child_of_a_large_map_fails_the_map_and_nothing_else(home: Home):
    def f(event: int) -> int:
        if event == ITEMS // 2:
            raise ValueError("this one")
        return event

    service = home.open(f=f)
    service.put("map", standard_map())
    service.start("map", "one", list(range(ITEMS)))
    assert ended(service, "one").error == "States.ExceedToleratedFailureThreshold"
    assert_it_still_works(service)


def test_a_large_map_that_is_stopped_in_mid_run_ends_and_nothing_else_does(home: Home):
    calls: list[int] = []
    service = home.open(f=calls.append)
    service.put("map", standard_map())
    service.start("map", "one", list(range(ITEMS)))
    until(lambda: len(calls) > ITEMS // 5)
    service.stop("one", error="Enough")
    assert ended(service, "one").status is ExecutionStatus.ABORTED
    assert_it_still_works(service)


@pytest.mark.parametrize("stopped", [False, True])
def test_every_child_that_was_started_is_kept_with_the_status_the_map_run_counts(home: Home, stopped: bool):
    def f(event: int) -> int:
        if not stopped and event == 300:
            raise ValueError("this one")
        return event

    service = home.open(f=f)
    service.put("map", standard_map())
    service.start("map", "one", list(range(ITEMS)))
    if stopped:
        until(lambda: service.map_runs("one") and service.map_runs("one")[0]["itemCounts"]["succeeded"] > 100)
        service.stop("one")
    ended(service, "one")
    (run,) = service.map_runs("one")
    kept = [child.status for child in service.list(map_run=run["mapRunArn"], limit=ITEMS)]
    for status, count in (("SUCCEEDED", "succeeded"), ("FAILED", "failed"), ("ABORTED", "aborted")):
        assert kept.count(ExecutionStatus(status)) == run["executionCounts"][count]
    assert run["executionCounts"]["running"] == 0


def test_a_change_that_is_cancelled_before_its_turn_ends_no_writing(tmp_path: Path):
    begun, leave = threading.Event(), threading.Event()
    writer = Writer(tmp_path / "file.sqlite", tmp_path / "file.lock")

    def slow(connection: sqlite3.Connection) -> None:
        begun.set()
        leave.wait(LIMIT)

    first = writer.submit(slow)
    assert begun.wait(LIMIT)
    cancelled, last = writer.submit(lambda connection: "left out"), writer.submit(lambda connection: "written")
    assert cancelled.cancel()
    assert not first.cancel()
    leave.set()
    assert last.result(20) == "written"
    assert writer.is_alive()
    writer.close()


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, StopIteration, SystemExit, RecursionError])
def test_whatever_a_function_raises_fails_its_own_execution_only(home: Home, error: type[BaseException]):
    def f(event: Any) -> None:
        raise error("said the function")

    service = home.open(f=f)
    service.start("call", "one", {})
    assert ended(service, "one").status is ExecutionStatus.FAILED
    assert_it_still_works(service)


def test_a_result_too_deep_for_json_fails_its_own_execution_only(home: Home):
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    service = home.open(f=lambda event: deep)
    service.start("call", "one", {})
    assert ended(service, "one").error == "Runtime.MarshalError"
    assert_it_still_works(service)


INPUTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["s3_key", "body", "", "a/b"]) | st.text(), inner),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(INPUTS)
@example({"s3_key": "photos//2026/a.png"})
@example({"s3_key": ["../..", {}]})
@example({1: (2, 3)})
@example({"a": [10**4_000]})
def test_any_json_is_an_input_that_can_be_listed_or_is_refused(home: Home, given: Any):
    service = home.opened[0] if home.opened else home.open()
    name = uuid.uuid4().hex
    try:
        service.start("pass", name, given)
    except BadInput:
        return
    execution = ended(service, name)
    assert execution.output == execution.input == service.list(limit=1)[0].input
    assert state_runs(service.history(name))[0].input == execution.input


def test_an_input_that_lies_too_deep_is_refused(home: Home):
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    with pytest.raises(BadInput, match="200 nested levels"):
        home.open().start("pass", "one", deep)


def endless(**fields: Any) -> dict[str, Any]:
    """Two states that hand on to each other for ever."""
    again = {"Variable": "$", "IsPresent": True, "Next": "A"}
    states = {
        "A": {"Type": "Pass", "Next": "B", **fields},
        "B": {"Type": "Choice", "Choices": [again], "Default": "C"},
        "C": {"Type": "Succeed"},
    }
    return {"StartAt": "A", "States": states}


def test_an_endless_express_child_lets_others_go_on_and_can_be_stopped(home: Home):
    service = home.open()
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}
    service.put("map", dict(one({"Type": "Map", "Label": "Items", "ItemProcessor": {**config, **endless()}})))
    service.start("map", "one", [1])
    assert_it_still_works(service)
    service.stop("one")
    assert ended(service, "one").status is ExecutionStatus.ABORTED


def test_a_history_that_outgrows_the_memory_fails_its_execution_and_lets_others_go_on(home: Home):
    service = home.open()
    service.put("loop", endless())
    service.start("loop", "one", {"a": "x" * 200_000})
    assert_it_still_works(service)
    found = ended(service, "one")
    assert (found.status, found.error) == (ExecutionStatus.FAILED, "States.Runtime")
    assert "100,000,000 characters" in str(found.cause)
    assert service.history("one")[-1]["type"] == "ExecutionFailed"


@pytest.mark.parametrize(
    ("fields", "given"),
    [
        ({f"x{i}.$": "$[0:]" for i in range(3_000)}, list(range(30_000))),
        ({f"x{i}.$": "States.ArrayContains($.a, -1)" for i in range(3_000)}, {"a": list(range(40_000))}),
        ({f"x{i}.$": "States.JsonToString($.a)" for i in range(3_000)}, {"a": [1] * 30_000}),
    ],
)
def test_many_expressions_that_are_cheap_one_by_one_are_ended_together(home: Home, fields: Any, given: Any):
    service = home.open()
    service.put("many", dict(one({"Type": "Pass", "Parameters": fields, "End": True})))
    service.start("many", "one", given)
    assert_it_still_works(service)
    found = ended(service, "one")
    assert found.status is ExecutionStatus.FAILED
    assert "more than 1 s together" in str(found.cause)


def test_many_cheap_jsonata_expressions_are_ended_together(home: Home):
    service = home.open()
    output = {f"x{i}": "{% -1 in $states.input.a %}" for i in range(3_000)}
    service.put("many", {"QueryLanguage": "JSONata", **one({"Type": "Pass", "Output": output, "End": True})})
    service.start("many", "one", {"a": list(range(40_000))})
    assert_it_still_works(service)
    assert "more than 1 s together" in str(ended(service, "one").cause)
