"""Time limits, waits and quotas.

Waits take no time here: `seconds` is how long an execution would have waited.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.asl.machines import CATCH_ALL, END, FUNCTIONS, invoke, one, passing, task
from tests.unit.asl.world import Ended, run


def test_a_task_that_takes_too_long_fails_with_a_timeout():
    state = one(task("never", TimeoutSeconds=7, Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "C"}]), C=END)
    ended = run(state)
    assert ended.status == "SUCCEEDED"
    assert ended.seconds == pytest.approx(7, abs=0.5)
    assert ended.types[3:6] == ["LambdaFunctionStarted", "LambdaFunctionTimedOut", "TaskStateExited"]
    assert ended.details("LambdaFunctionTimedOut") == [{"error": "States.Timeout"}]


def test_task_failed_does_not_cover_a_timeout():
    state = one(task("never", TimeoutSeconds=7, Catch=[{"ErrorEquals": ["States.TaskFailed"], "Next": "C"}]), C=END)
    assert run(state).error == "States.Timeout"


def test_the_time_limit_of_a_task_can_come_from_its_input():
    state = one(invoke("never", TimeoutSecondsPath="$.limit"))
    ended = run(state, {"limit": 3})
    assert ended.error == "States.Timeout"
    assert ended.details("TaskScheduled")[0]["timeoutInSeconds"] == 3
    assert ended.details("TaskTimedOut") == [
        {"resourceType": "lambda", "resource": "invoke", "error": "States.Timeout"}
    ]


@pytest.mark.parametrize("field", ["TimeoutSecondsPath", "HeartbeatSecondsPath"])
def test_a_time_limit_that_its_path_does_not_find_is_told_as_a_path(field: str):
    ended = run(one(invoke("never", **{field: "$.limit"})), {"other": 3})
    assert ended.error == "States.Runtime"
    assert str(ended.cause).endswith("Invalid path '$.limit' : No results for path: $['limit']")


def test_an_execution_that_takes_too_long_is_timed_out():
    ended = run({**one({"Type": "Wait", "Seconds": 60}), "TimeoutSeconds": 5})
    assert (ended.status, ended.error) == ("TIMED_OUT", None)
    assert ended.types == ["ExecutionStarted", "WaitStateEntered", "ExecutionTimedOut"]


@pytest.mark.parametrize(
    ("fields", "given", "seconds"),
    [
        ({"Seconds": 30}, {}, 30),
        ({"SecondsPath": "$.s"}, {"s": 20}, 20),
        ({"Timestamp": "2016-03-14T01:59:00Z"}, {}, 0),
        ({"TimestampPath": "$.t"}, {"t": "2016-03-14T01:59:00+01:00"}, 0),
    ],
)
def test_a_wait_waits(fields: Any, given: Any, seconds: float):
    ended = run(one({"Type": "Wait", **fields}), given)
    assert ended.status == "SUCCEEDED"
    assert ended.seconds == pytest.approx(seconds, abs=0.5)


@pytest.mark.parametrize(
    "moment", [{"TimestampPath": "$.t"}, {"QueryLanguage": "JSONata", "Timestamp": "{% $states.input.t %}"}]
)
def test_a_wait_may_take_24_855_days_and_no_more(moment: dict[str, str]):
    def waited(days: int) -> Ended:
        return run(
            one({"Type": "Wait", **moment}),
            {"t": f"{datetime.now(UTC) + timedelta(days):%Y-%m-%dT%H:%M:%SZ}"},
            stop_after=5,
        )

    assert waited(24_855).types == ["ExecutionStarted", "WaitStateEntered", "ExecutionAborted"]
    refused = waited(24_856)
    assert (refused.status, refused.error) == ("FAILED", "States.Runtime")
    assert str(refused.cause).endswith("Wait state delay is too long.")


@pytest.mark.parametrize("given", [{"s": "x"}, {"s": 1.5}, {"s": -1}, {}])
def test_a_wait_for_no_number_of_seconds_fails(given: Any):
    ended = run(one({"Type": "Wait", "SecondsPath": "$.s"}), given)
    assert ended.error == "States.Runtime"
    assert "SecondsPath" in str(ended.cause)


def test_a_stopped_execution_is_aborted_wherever_it_stands():
    inside = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
    for state in ({"Type": "Wait", "Seconds": 60}, {"Type": "Parallel", "Branches": [inside]}):
        ended = run(one(state), stop_after=5)
        assert (ended.status, ended.error, ended.cause) == ("ABORTED", "Stopped", "by the test")
        assert ended.types[-1] == "ExecutionAborted"
        assert ended.links[-1] == 0


TOO_LARGE = "x" * 262_143  # with its quotation marks one byte too many


def test_a_payload_of_exactly_the_quota_passes():
    assert run(passing(Result=TOO_LARGE[:-1])).status == "SUCCEEDED"


@pytest.mark.parametrize(
    "result", [TOO_LARGE, "é" * 131_072, {"a": [TOO_LARGE]}], ids=["ascii", "two bytes each", "nested"]
)
def test_a_larger_payload_fails_with_data_limit_exceeded(result: Any):
    ended = run(passing(Result=result))
    assert (ended.status, ended.error) == ("FAILED", "States.DataLimitExceeded")


def test_a_tasks_result_that_is_too_large_can_be_caught():
    for state in (task("large", Catch=CATCH_ALL), invoke("large", Catch=CATCH_ALL)):
        ended = run(one(state, C=END), functions=FUNCTIONS)
        assert ended.output["Error"] == "States.DataLimitExceeded"


def test_a_states_output_that_is_too_large_is_caught_by_its_name_only():
    half = {"x": "x" * 200_000}
    for names, status in ((["States.ALL"], "FAILED"), (["States.DataLimitExceeded"], "SUCCEEDED")):
        catch = [{"ErrorEquals": names, "ResultPath": None, "Next": "C"}]
        ended = run(one(task("echo", ResultPath="$.twice", Catch=catch), C=END), half, functions=FUNCTIONS)
        assert ended.status == status


@pytest.mark.parametrize("sizes", [[262_143], [140_000, 140_000]], ids=["one", "together"])
def test_variables_that_are_too_large_fail(sizes: list[int]):
    assign = {f"v{place}": "x" * size for place, size in enumerate(sizes)}
    assert run(passing(Assign=assign)).error == "States.DataLimitExceeded"


def test_a_history_of_more_than_25_000_events_fails_the_execution():
    choices = [{"Variable": "$.stop", "IsPresent": True, "Next": "C"}]
    choice = {"Type": "Choice", "Choices": choices, "Default": "S"}
    ended = run(one({"Type": "Pass", "Next": "B"}, B=choice, C=END))
    assert (ended.status, ended.error) == ("FAILED", "States.Runtime")
    assert len(ended.events) == 25_000
    assert ended.types[-1] == "ExecutionFailed"
