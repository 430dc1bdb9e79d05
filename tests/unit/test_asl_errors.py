"""Retry, Catch, time limits and quotas.

Waits take no time here: `seconds` is how long an execution would have waited.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.asl_machines import CATCH_ALL, END, FUNCTIONS, invoke, one, passing, task
from tests.unit.asl_world import Ended, run


class Flaky(Exception):
    """What functions of these tests raise."""


def failing(times: int, error: type[Exception] = Flaky) -> Callable[[Any], Any]:
    """A function that fails so many times, and then gives its event."""
    left = [times]

    def function(event: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise error("not yet")
        return event

    return function


def retried(times: int, *retriers: Any, **fields: Any) -> Ended:
    return run(one(task("flaky", Retry=list(retriers), **fields)), functions={"flaky": failing(times)})


# Retry


def test_waits_between_attempts_grow_with_the_backoff_rate():
    ended = retried(3, {"ErrorEquals": ["Flaky"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 3})
    assert ended.status == "SUCCEEDED"
    assert ended.seconds == pytest.approx(2 + 6 + 18, abs=0.5)


def test_the_defaults_are_three_attempts_after_one_two_and_four_seconds():
    assert retried(3, {"ErrorEquals": ["Flaky"]}).seconds == pytest.approx(7, abs=0.5)
    assert retried(4, {"ErrorEquals": ["Flaky"]}).error == "Flaky"


def test_waits_are_bounded_by_max_delay_seconds():
    ended = retried(4, {"ErrorEquals": ["Flaky"], "MaxAttempts": 4, "IntervalSeconds": 3, "MaxDelaySeconds": 5})
    assert ended.seconds == pytest.approx(3 + 5 + 5 + 5, abs=0.5)


def test_full_jitter_waits_anything_up_to_the_delay():
    ended = retried(1, {"ErrorEquals": ["Flaky"], "IntervalSeconds": 1_000, "JitterStrategy": "FULL"})
    assert ended.status == "SUCCEEDED"
    assert ended.seconds < 1_000


def test_no_attempt_is_made_again_when_max_attempts_is_zero():
    ended = retried(1, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 0})
    assert (ended.error, ended.seconds) == ("Flaky", 0)


def test_the_first_retrier_that_covers_the_error_counts_and_each_counts_for_itself():
    ended = retried(
        3,
        {"ErrorEquals": ["Other"], "MaxAttempts": 9},
        {"ErrorEquals": ["Flaky", "Fluky"], "MaxAttempts": 2},
        {"ErrorEquals": ["States.ALL"], "MaxAttempts": 9},
    )
    assert ended.error == "Flaky"


def test_every_attempt_is_scheduled_again_and_the_context_object_counts_them():
    seen = []

    def flaky(event: Any) -> Any:
        seen.append(event)
        raise Flaky

    state = invoke(
        "flaky",
        Parameters={"FunctionName": "flaky", "Payload": {"retries.$": "$$.State.RetryCount"}},
        Retry=[{"ErrorEquals": ["Flaky"], "MaxAttempts": 2}],
    )
    ended = run(one(state), functions={"flaky": flaky})
    assert seen == [{"retries": 0}, {"retries": 1}, {"retries": 2}]
    assert ended.types == [
        "ExecutionStarted",
        "TaskStateEntered",
        *["TaskScheduled", "TaskStarted", "TaskFailed"] * 3,
        "ExecutionFailed",
    ]
    assert ended.links == [0, 0, *range(2, 12)]


# Catch


@pytest.mark.parametrize(
    ("names", "covered"),
    [
        (["Flaky"], True),
        (["Other", "Flaky"], True),
        (["States.TaskFailed"], True),
        (["States.ALL"], True),
        (["Other"], False),
        (["flaky"], False),
        (["States.Timeout"], False),
    ],
)
def test_a_catcher_covers_the_errors_it_names(names: list[str], covered: bool):
    state = task("flaky", Catch=[{"ErrorEquals": names, "Next": "C"}])
    ended = run(one(state, C=END), functions={"flaky": failing(9)})
    assert ended.status == ("SUCCEEDED" if covered else "FAILED")


def test_a_caught_error_is_the_output_with_the_cause_of_lambda():
    ended = run(one(task("flaky", Catch=CATCH_ALL), C=END), functions={"flaky": failing(9)})
    assert set(ended.output) == {"Error", "Cause"}
    cause = json.loads(ended.output["Cause"])
    assert (ended.output["Error"], cause["errorType"], cause["errorMessage"]) == ("Flaky", "Flaky", "not yet")
    assert set(cause) == {"errorMessage", "errorType", "requestId", "stackTrace"}
    assert "flaky" not in ended.output


def test_a_caught_error_can_be_placed_into_the_input():
    state = task("flaky", Parameters={"x": 1}, Catch=[{"ErrorEquals": ["Flaky"], "ResultPath": "$.e", "Next": "C"}])
    ended = run(one(state, C=END), {"kept": 1}, functions={"flaky": failing(9)})
    assert ended.output["kept"] == 1
    assert ended.output["e"]["Error"] == "Flaky"


def test_a_catcher_acts_after_the_last_retry_and_may_lead_back():
    retry, catch = {"ErrorEquals": ["Flaky"], "MaxAttempts": 1}, {"ErrorEquals": ["Flaky"], "Next": "S"}
    state = task("flaky", Retry=[retry], Catch=[catch])
    ended = run(one(state), functions={"flaky": failing(3)})
    assert ended.status == "SUCCEEDED"
    assert ended.types.count("TaskStateEntered") == 2


def test_a_catcher_assigns_variables_from_the_error():
    catch = [{"ErrorEquals": ["Flaky"], "Assign": {"why.$": "$.Error"}, "ResultPath": None, "Next": "C"}]
    then = {"Type": "Pass", "Parameters": {"why.$": "$why", "n.$": "$.n"}, "End": True}
    ended = run(one(task("flaky", Catch=catch), C=then), {"n": 1}, functions={"flaky": failing(9)})
    assert ended.output == {"why": "Flaky", "n": 1}


def test_nothing_catches_a_runtime_error():
    state = task("echo", InputPath="$.no", Retry=[{"ErrorEquals": ["States.Runtime"]}], Catch=CATCH_ALL)
    ended = run(one(state, C=END), functions=FUNCTIONS)
    assert (ended.status, ended.error) == ("FAILED", "States.Runtime")


def test_the_error_of_a_fail_state_ends_the_execution():
    ended = run(one({"Type": "Fail", "Error": "Mine", "Cause": "why"}))
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "Mine", "why")
    assert ended.details("ExecutionFailed") == [{"error": "Mine", "cause": "why"}]


@pytest.mark.parametrize(("function", "error"), [("missing", "Lambda.ResourceNotFoundException")])
def test_a_call_that_never_reaches_a_function_has_an_error_of_lambda(function: str, error: str):
    for state in (task(function), invoke(function)):
        ended = run(one({**state, "Catch": [{"ErrorEquals": [error], "Next": "C"}]}, C=END))
        assert ended.status == "SUCCEEDED"


def test_a_result_that_is_no_json_fails_as_it_does_in_lambda():
    ended = run(one(task("odd")), functions={"odd": lambda event: {1, 2}})
    assert ended.error == "Runtime.MarshalError"


# Time limits


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


# Quotas

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
