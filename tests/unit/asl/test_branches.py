"""Parallel and inline Map: their results, and the histories of those that end well and those that do not."""

from typing import Any

import pytest

from tests.unit.asl.machines import CATCH_ALL, END, FUNCTIONS, invoke, mapping, one, parallel, task
from tests.unit.asl.world import run

FAIL = {"Type": "Fail", "Error": "E", "Cause": "c"}


def waiting(seconds: int, **fields: Any) -> dict[str, Any]:
    return {"Type": "Wait", "Seconds": seconds, **(fields or {"End": True})}


# Parallel


def test_the_results_stand_in_the_order_of_the_branches_whichever_ends_first():
    slow = {"A": waiting(9, Next="AA"), "AA": {"Type": "Pass", "Result": "slow", "End": True}}
    fast = {"B": {"Type": "Pass", "Result": "fast", "End": True}}
    ended = run(one(parallel(slow, fast)))
    assert ended.output == ["slow", "fast"]
    assert ended.seconds == pytest.approx(9, abs=0.5)


def test_branches_wait_at_the_same_time():
    ended = run(one(parallel(*({f"W{n}": waiting(10)} for n in range(5)))))
    assert ended.seconds == pytest.approx(10, abs=0.5)


def test_every_branch_follows_the_start_of_the_parallel():
    ended = run(one(parallel({"A": END}, {"B": END})))
    assert ended.types[:3] == ["ExecutionStarted", "ParallelStateEntered", "ParallelStateStarted"]
    entered = [event for event in ended.events if event["type"] == "PassStateEntered"]
    assert [event["previousEventId"] for event in entered] == [3, 3]
    assert ended.types[-3:] == ["ParallelStateSucceeded", "ParallelStateExited", "ExecutionSucceeded"]
    assert ended.links[-3:] == [7, 7, 9]


def test_a_branch_that_fails_ends_the_others():
    ended = run(one(parallel({"A": waiting(60)}, {"B": waiting(1, Next="BB"), "BB": FAIL})))
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "E", "c")
    assert ended.seconds == pytest.approx(1, abs=0.5)
    assert ended.types[-4:] == ["FailStateEntered", "WaitStateAborted", "ParallelStateFailed", "ExecutionFailed"]
    assert ended.links[-3:] == [7, 7, 9]


def test_a_failed_parallel_can_be_retried_and_caught():
    state = parallel({"A": FAIL}, Retry=[{"ErrorEquals": ["E"], "MaxAttempts": 2}], Catch=CATCH_ALL)
    ended = run(one(state, C=END))
    assert ended.output == {"Error": "E", "Cause": "c"}
    assert ended.types.count("ParallelStateStarted") == 3
    assert ended.types.count("ParallelStateFailed") == 1


def test_a_runtime_error_inside_is_not_caught_outside():
    ended = run(one(parallel({"A": {"Type": "Pass", "InputPath": "$.no", "End": True}}, Catch=CATCH_ALL), C=END))
    assert (ended.status, ended.error) == ("FAILED", "States.Runtime")


# Map

NUMBERS = [1, 2, 3]


def test_an_iteration_knows_its_item_and_its_index():
    selector = {"index.$": "$$.Map.Item.Index", "value.$": "$$.Map.Item.Value", "around.$": "$.around"}
    state = mapping({"I": END}, ItemsPath="$.items", ItemSelector=selector, ResultPath="$.out")
    ended = run(one(state), {"items": ["a", "b"], "around": 1})
    assert ended.output["out"] == [
        {"index": 0, "value": "a", "around": 1},
        {"index": 1, "value": "b", "around": 1},
    ]


def test_a_map_over_nothing_gives_nothing():
    ended = run(one(mapping({"I": END})), [])
    assert ended.output == []
    assert ended.types[2:5] == ["MapStateStarted", "MapStateSucceeded", "MapStateExited"]


@pytest.mark.parametrize(("concurrency", "seconds"), [(1, 30), (2, 20), (0, 10), (3, 10)])
def test_at_most_so_many_iterations_run_at_once(concurrency: int, seconds: int):
    ended = run(one(mapping({"I": waiting(10)}, MaxConcurrency=concurrency)), NUMBERS)
    assert ended.output == NUMBERS
    assert ended.seconds == pytest.approx(seconds, abs=0.5)


def test_an_inline_map_runs_at_most_forty_iterations_at_once():
    assert run(one(mapping({"I": waiting(1)}, MaxConcurrency=0)), list(range(41))).seconds == pytest.approx(2, abs=0.5)


def test_the_concurrency_can_come_from_the_input():
    state = {**mapping({"I": waiting(10)}, MaxConcurrencyPath="$.n", ItemsPath="$.items")}
    del state["MaxConcurrency"]
    assert run(one(state), {"n": 1, "items": NUMBERS}).seconds == pytest.approx(30, abs=0.5)


def test_the_events_of_a_map_follow_each_other_as_those_of_step_functions_do():
    ended = run(one(mapping({"I": END})), [1, 2])
    assert list(zip(ended.types, ended.links, strict=True)) == [
        ("ExecutionStarted", 0),
        ("MapStateEntered", 0),
        ("MapStateStarted", 2),
        ("MapIterationStarted", 3),
        ("PassStateEntered", 4),
        ("PassStateExited", 5),
        ("MapIterationSucceeded", 6),
        ("MapIterationStarted", 6),
        ("PassStateEntered", 8),
        ("PassStateExited", 9),
        ("MapIterationSucceeded", 10),
        ("MapStateSucceeded", 11),
        ("MapStateExited", 11),
        ("ExecutionSucceeded", 13),
    ]
    assert ended.details("MapStateStarted") == [{"length": 2}]
    assert ended.details("MapIterationStarted") == [{"name": "S", "index": 0}, {"name": "S", "index": 1}]


def test_an_iteration_that_fails_aborts_the_others():
    choice = {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "F"}], "Default": "W"}
    state = mapping({"I": choice, "F": FAIL, "W": waiting(60)}, MaxConcurrency=0)
    ended = run(one(state), NUMBERS)
    assert (ended.status, ended.error) == ("FAILED", "E")
    tail = ended.types[ended.types.index("FailStateEntered") + 1 :]
    assert tail.count("MapIterationFailed") == 1
    assert tail.count("MapIterationAborted") == 2
    assert tail.count("WaitStateAborted") >= 1
    assert tail[-2:] == ["MapStateFailed", "ExecutionFailed"]
    failed = ended.types.index("FailStateEntered") + 1
    endings = ("Aborted", "IterationFailed", "MapStateFailed")
    noted = [event for event in ended.events if event["type"].endswith(endings)]
    assert {event["previousEventId"] for event in noted} == {failed}


def test_a_failed_map_can_be_retried_and_caught():
    left = [2]

    def flaky(event: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise ValueError("no")
        return event

    state = mapping({"I": task("flaky", End=True)}, Retry=[{"ErrorEquals": ["ValueError"]}])
    assert run(one(state), NUMBERS, functions={"flaky": flaky}).output == NUMBERS
    caught = run(one(mapping({"I": FAIL}, Catch=CATCH_ALL), C=END), NUMBERS)
    assert caught.output == {"Error": "E", "Cause": "c"}


def test_a_map_over_what_is_no_list_fails():
    ended = run(one(mapping({"I": END}, ItemsPath="$.text")), {"text": "no list"})
    assert ended.error == "States.Runtime"


def test_maps_and_parallels_nest():
    inner = {**mapping({"J": task("double", End=True)}, "J"), "End": True}
    branches = {**parallel({"P": END}, {"M": inner}), "End": True}
    ended = run(one(mapping({"I": branches})), [[1], [2, 3]], functions=FUNCTIONS)
    assert ended.output == [[[1], [2]], [[2, 3], [4, 6]]]


def test_the_ids_of_all_events_count_up_without_a_gap_and_none_follows_a_later_one():
    inner = {**mapping({"J": waiting(1)}, "J", MaxConcurrency=2), "End": True}
    ended = run(one(parallel({"A": inner}, {"B": waiting(2)})), [1, 2, 3])
    assert [event["id"] for event in ended.events] == list(range(1, len(ended.events) + 1))
    assert all(event["previousEventId"] < event["id"] for event in ended.events)


def test_iterations_that_start_together_time_out_together():
    ended = run(one(mapping({"I": invoke("never", TimeoutSeconds=5, End=True)}, MaxConcurrency=0)), NUMBERS)
    assert ended.error == "States.Timeout"
    started = ["MapIterationStarted"] * 3 + ["TaskStateEntered", "TaskScheduled"] * 3 + ["TaskStarted"] * 3
    assert ended.types[3:15] == started
    assert ended.types[15:18] == ["TaskTimedOut"] * 3
    noted = ["MapIterationFailed", "TaskStateAborted"] + ["MapIterationAborted", "TaskStateAborted"] * 2
    assert sorted(ended.types[18:24]) == sorted(noted)
    assert set(ended.links[18:25]) == {16}
