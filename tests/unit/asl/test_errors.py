"""Retry and Catch.

Waits take no time here: `seconds` is how long an execution would have waited.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.asl.machines import CATCH_ALL, END, FUNCTIONS, invoke, one, task
from tests.unit.asl.world import Ended, run


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
