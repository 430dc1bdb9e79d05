"""What each state did, read from events as Step Functions returns them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scones_core.domain.history import (
    StateRun,
    StateStatus,
    event_states,
    image_key,
    state_runs,
    status_by_state,
    steps_taken,
)
from scones_core.errors import BadInput

START = datetime(2025, 10, 4, 8, 44, tzinfo=UTC)


class Recorder:
    """Writes events the way GetExecutionHistory returns them; one second passes with each."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.add("ExecutionStarted", 0)

    def add(self, kind: str, previous: int | None = None, **details: Any) -> int:
        number = len(self.events) + 1
        at = START + timedelta(seconds=number)
        event = {"id": number, "previousEventId": number - 1 if previous is None else previous, "type": kind}
        name = kind[0].lower() + kind[1:] + "EventDetails"
        if kind.endswith(("StateEntered", "StateExited")):
            name = f"state{kind[-7 if kind.endswith('Entered') else -6 :]}EventDetails"
        self.events.append(event | {"timestamp": at.isoformat()} | ({name: details} if details else {}))
        return number

    def enter(self, kind: str, name: str, value: Any = None, previous: int | None = None) -> int:
        return self.add(f"{kind}StateEntered", previous, name=name, input=json.dumps(value))

    def exit(self, kind: str, name: str, value: Any = None, previous: int | None = None) -> int:
        return self.add(f"{kind}StateExited", previous, name=name, output=json.dumps(value))

    def task(self, name: str, *, fails_with: str | None = None) -> int:
        self.enter("Task", name, {"s3_key": f"test/{name}.png"})
        self.add("TaskScheduled", resource="invoke")
        self.add("TaskStarted", resource="invoke")
        if fails_with:
            return self.add("TaskFailed", error=fails_with, cause="why")
        self.add("TaskSucceeded", output="{}")
        return self.exit("Task", name, {"done": name})


def test_a_state_that_was_left_succeeded_with_its_input_output_and_duration() -> None:
    history = Recorder()
    history.task("Resize")
    history.add("ExecutionSucceeded", output="{}")
    (run,) = state_runs(history.events)
    assert (run.name, run.type, run.status) == ("Resize", "Task", StateStatus.SUCCEEDED)
    assert run.input == {"s3_key": "test/Resize.png"}
    assert run.output == {"done": "Resize"}
    assert run.duration == timedelta(seconds=4)
    assert run.image == "test/Resize.png"
    assert run.retries == 0


def test_the_state_in_which_the_execution_failed_carries_error_and_cause() -> None:
    history = Recorder()
    history.task("Classify")
    history.task("Filter", fails_with="THRESHOLD_CONFIDENCE_NOT_MET")
    history.add("ExecutionFailed", error="THRESHOLD_CONFIDENCE_NOT_MET", cause="why")
    first, second = state_runs(history.events)
    assert first.status is StateStatus.SUCCEEDED
    assert second.status is StateStatus.FAILED
    assert (second.error, second.cause) == ("THRESHOLD_CONFIDENCE_NOT_MET", "why")
    assert second.exited
    assert second.output is None
    assert second.after == "Classify"


def test_a_retried_task_that_succeeds_counts_its_retries_and_forgets_the_error() -> None:
    history = Recorder()
    history.task("Classify", fails_with="Lambda.ServiceException")
    history.add("TaskScheduled", resource="invoke")
    history.add("TaskSucceeded", output="{}")
    history.exit("Task", "Classify")
    (run,) = state_runs(history.events)
    assert (run.status, run.retries, run.error) == (StateStatus.SUCCEEDED, 1, None)


def test_a_failure_that_a_catch_led_on_from_is_caught_and_keeps_its_error() -> None:
    history = Recorder()
    history.task("Classify", fails_with="States.TaskFailed")
    history.exit("Task", "Classify", {"Error": "States.TaskFailed"})
    history.enter("Pass", "Apologise")
    history.exit("Pass", "Apologise")
    history.add("ExecutionSucceeded")
    first, second = state_runs(history.events)
    assert (first.status, first.error) == (StateStatus.CAUGHT, "States.TaskFailed")
    assert second.status is StateStatus.SUCCEEDED
    assert steps_taken([first, second]) == {("Classify", "Apologise")}


def test_a_task_that_timed_out_failed_with_states_timeout() -> None:
    history = Recorder()
    history.enter("Task", "Slow")
    history.add("TaskScheduled", resource="invoke")
    history.add("TaskTimedOut", resource="invoke")
    (run,) = state_runs(history.events)
    assert (run.status, run.error, run.failures) == (StateStatus.FAILED, "States.Timeout", ("States.Timeout",))


def test_a_task_that_failed_without_an_error_failed_without_one() -> None:
    history = Recorder()
    history.enter("Task", "Odd")
    history.add("TaskFailed")
    (run,) = state_runs(history.events)
    assert (run.status, run.error, run.failures) == (StateStatus.FAILED, None, ())


def test_a_task_keeps_its_own_error_when_the_execution_ends_with_another() -> None:
    history = Recorder()
    history.task("Ask", fails_with="Busy")
    history.add("ExecutionFailed", error="States.Runtime", cause="more")
    (run,) = state_runs(history.events)
    assert (run.error, run.cause) == ("Busy", "why")


def test_a_state_at_which_the_execution_fails_has_failed_with_all_around_it() -> None:
    history = Recorder()
    history.enter("Parallel", "Both")
    started = history.add("ParallelStateStarted")
    history.enter("Wait", "Pause", previous=started)
    history.enter("Task", "Lost", previous=started)
    history.enter("Choice", "Which")
    history.add("ExecutionFailed", error="States.NoChoiceMatched", cause="why")
    runs = {run.name: run for run in state_runs(history.events)}
    assert (runs["Which"].status, runs["Which"].error) == (StateStatus.FAILED, "States.NoChoiceMatched")
    assert (runs["Both"].status, runs["Both"].error) == (StateStatus.FAILED, None)
    assert (runs["Pause"].status, runs["Lost"].status) == (StateStatus.ABORTED, StateStatus.ABORTED)
    assert all(run.exited for run in runs.values())


def test_events_outside_of_all_states_belong_to_none() -> None:
    history = Recorder()
    history.add("TaskFailed", error="Odd")
    history.add("ParallelStateStarted")
    history.task("Ask")
    (run,) = state_runs(history.events)
    assert (run.status, run.error) == (StateStatus.SUCCEEDED, None)
    refused = Recorder()
    refused.add("ExecutionFailed", error="States.Runtime")
    assert state_runs(refused.events) == []


def test_a_damaged_event_is_named_by_its_number() -> None:
    history = Recorder()
    history.task("Ask")
    del history.events[1]["stateEnteredEventDetails"]
    with pytest.raises(BadInput, match="Event 2 of the history is damaged"):
        state_runs(history.events)


def test_a_fail_state_takes_its_error_from_the_end_of_the_execution() -> None:
    history = Recorder()
    history.enter("Fail", "Give up")
    history.add("ExecutionFailed", error="GaveUp", cause="no reason")
    (run,) = state_runs(history.events)
    assert (run.status, run.error, run.cause) == (StateStatus.FAILED, "GaveUp", "no reason")


def test_a_state_that_was_entered_only_is_running_until_the_execution_is_aborted() -> None:
    history = Recorder()
    history.enter("Wait", "Pause")
    assert state_runs(history.events)[0].status is StateStatus.RUNNING
    history.add("ExecutionAborted")
    (run,) = state_runs(history.events)
    assert (run.status, run.duration) == (StateStatus.ABORTED, timedelta(seconds=1))


def _parallel(*, fails: bool) -> Recorder:
    """A Parallel with two branches whose events alternate; the second one ends or fails last."""
    history = Recorder()
    history.enter("Parallel", "Both")
    started = history.add("ParallelStateStarted")
    left = history.enter("Task", "Left", previous=started)
    right = history.enter("Task", "Right", previous=started)
    left = history.add("TaskScheduled", left, resource="invoke")
    right = history.add("TaskScheduled", right, resource="invoke")
    if fails:
        right = history.add("TaskFailed", right, error="Oops", cause="why")
        history.add("ParallelStateFailed", right, error="Oops", cause="why")
        history.add("ExecutionFailed", error="Oops", cause="why")
        return history
    history.exit("Task", "Left", 1, left)
    right = history.exit("Task", "Right", 2, right)
    history.add("ParallelStateSucceeded", right)
    history.exit("Parallel", "Both", [1, 2])
    history.enter("Succeed", "Done")
    history.exit("Succeed", "Done")
    return history


def test_the_branches_of_a_parallel_are_told_apart_where_their_events_alternate() -> None:
    runs = {run.name: run for run in state_runs(_parallel(fails=False).events)}
    assert [run.status for run in runs.values()] == [StateStatus.SUCCEEDED] * 4
    assert (runs["Left"].output, runs["Right"].output, runs["Both"].output) == (1, 2, [1, 2])
    assert steps_taken(list(runs.values())) == {("Both", "Done")}


def test_a_failing_branch_fails_its_parallel_and_stops_the_other_branches() -> None:
    runs = {run.name: run for run in state_runs(_parallel(fails=True).events)}
    assert runs["Right"].status is StateStatus.FAILED
    assert runs["Both"].status is StateStatus.FAILED
    assert runs["Both"].error == "Oops"
    assert (runs["Left"].status, runs["Left"].error) == (StateStatus.ABORTED, None)
    assert all(run.exited for run in runs.values())


def test_a_failing_branch_stops_what_runs_at_any_depth_and_leaves_what_has_ended() -> None:
    history = Recorder()
    history.enter("Parallel", "Outer")
    outer = history.add("ParallelStateStarted")
    history.enter("Parallel", "Inner", previous=outer)
    inner = history.add("ParallelStateStarted")
    history.enter("Wait", "Rest", previous=inner)
    history.enter("Pass", "Quick", previous=inner)
    history.exit("Pass", "Quick")
    before = {run.name: run for run in state_runs(history.events)}
    failed = history.task("Ask", fails_with="Oops")
    history.events[failed - 4]["previousEventId"] = outer
    history.add("ParallelStateFailed", error="Oops", cause="why")
    runs = {run.name: run for run in state_runs(history.events)}
    assert (runs["Inner"].status, runs["Rest"].status) == (StateStatus.ABORTED, StateStatus.ABORTED)
    assert runs["Rest"].exited
    assert runs["Quick"] == before["Quick"]


def test_a_branch_that_was_aborted_has_no_failure() -> None:
    history = _parallel(fails=False)
    del history.events[7:]
    history.add("TaskStateAborted")
    aborted = state_runs(history.events)[2]
    assert (aborted.status, aborted.failures) == (StateStatus.ABORTED, ())


def test_a_fail_state_of_an_aborted_execution_has_no_error() -> None:
    history = Recorder()
    history.enter("Parallel", "Both")
    history.add("ParallelStateStarted")
    history.enter("Fail", "Give up")
    history.add("ExecutionAborted")
    both, fail = state_runs(history.events)
    assert (both.status, fail.status, fail.error) == (StateStatus.ABORTED, StateStatus.FAILED, None)


def test_a_map_gives_one_visit_per_iteration_and_the_worst_of_them_as_its_states_status() -> None:
    history = Recorder()
    history.enter("Map", "Each")
    started = history.add("MapStateStarted", length=2)
    for index, caught in enumerate((True, False)):
        history.add("MapIterationStarted", started, name="Each", index=index)
        history.task("Classify", fails_with="LOW" if caught else None)
        if caught:
            history.exit("Task", "Classify")
        last = history.add("MapIterationSucceeded", name="Each", index=index)
    history.add("MapStateSucceeded", last)
    history.exit("Map", "Each", [])
    runs = state_runs(history.events)
    assert [(run.name, run.iterations) for run in runs] == [("Each", ()), ("Classify", (0,)), ("Classify", (1,))]
    assert status_by_state(runs) == {"Each": StateStatus.SUCCEEDED, "Classify": StateStatus.CAUGHT}


def test_of_iterations_that_failed_succeeded_and_were_aborted_the_failed_one_counts() -> None:
    statuses = [StateStatus.SUCCEEDED, StateStatus.ABORTED, StateStatus.FAILED, StateStatus.RUNNING]
    runs = [StateRun("Ask", "Task", status, START, iterations=(i,)) for i, status in enumerate(statuses)]
    assert status_by_state(runs) == {"Ask": StateStatus.FAILED}
    assert status_by_state(runs[:2]) == {"Ask": StateStatus.ABORTED}
    assert status_by_state([runs[0], runs[3]]) == {"Ask": StateStatus.RUNNING}


def test_an_iteration_without_an_index_is_the_first() -> None:
    history = Recorder()
    history.enter("Map", "Each")
    history.add("MapStateStarted", length=1)
    history.add("MapIterationStarted")
    history.events[-1]["mapIterationStartedEventDetails"] = None
    history.enter("Pass", "One")
    assert state_runs(history.events)[1].iterations == (0,)


def test_a_state_that_a_loop_visits_again_has_the_status_of_its_last_visit() -> None:
    history = Recorder()
    history.task("Poll", fails_with="NotYet")
    history.exit("Task", "Poll")
    history.task("Poll")
    assert status_by_state(state_runs(history.events)) == {"Poll": StateStatus.SUCCEEDED}


def test_an_unreadable_input_is_shown_as_the_text_it_is() -> None:
    history = Recorder()
    history.add("PassStateEntered", name="Cut", input='{"a": "b')
    assert state_runs(history.events)[0].input == '{"a": "b'


def test_the_image_is_found_in_a_step_input_and_in_the_body_handed_on() -> None:
    assert image_key({"s3_key": "test/a.png"}) == "test/a.png"
    assert image_key({"statusCode": 200, "body": {"s3_key": "test/b.png"}}) == "test/b.png"
    assert image_key([1, 2]) is None


def test_no_events_give_no_visits() -> None:
    assert state_runs([]) == []


def test_errors_of_the_attempts_that_failed_are_kept_when_a_retry_succeeds() -> None:
    history = Recorder()
    history.enter("Task", "Ask")
    for error in ("Busy", "Late"):
        history.add("TaskScheduled")
        history.add("TaskFailed", error=error, cause="why")
    history.add("TaskScheduled")
    history.add("TaskSucceeded", output="{}")
    history.exit("Task", "Ask")
    (run,) = state_runs(history.events)
    assert (run.retries, run.failures, run.error) == (2, ("Busy", "Late"), None)


def test_a_fail_state_inside_a_map_is_where_it_failed() -> None:
    history = Recorder()
    history.enter("Map", "Each", previous=0)
    history.add("MapStateStarted", length=1)
    history.add("MapIterationStarted", name="Each", index=0)
    history.enter("Fail", "Give Up")
    history.add("MapIterationFailed", name="Each", index=0)
    history.add("MapStateFailed", error="TooBig", cause="It is.")
    _, fail = state_runs(history.events)
    assert (fail.status, fail.error, fail.cause) == (StateStatus.FAILED, "TooBig", "It is.")


def test_a_distributed_map_names_its_map_run() -> None:
    history = Recorder()
    history.enter("Map", "Each", previous=0)
    history.add("MapStateStarted", length=0)
    history.add("MapRunStarted", mapRunArn="arn:run")
    (run,) = state_runs(history.events)
    assert run.map_run == "arn:run"


def test_a_map_run_that_fails_fails_its_map_once() -> None:
    history = Recorder()
    history.enter("Map", "Each", previous=0)
    history.add("MapStateStarted", length=0)
    history.add("MapRunStarted", mapRunArn="arn:run")
    history.add("MapRunFailed", error="TooMany", cause="why")
    history.add("MapStateFailed", error="TooMany", cause="why")
    (run,) = state_runs(history.events)
    assert (run.status, run.error, run.failures) == (StateStatus.FAILED, "TooMany", ("TooMany",))


def test_the_largest_history_of_failed_branches_is_read() -> None:
    """Were each failure to look at all visits, this would take minutes."""
    history = Recorder()
    while len(history.events) < 24_990:
        history.enter("Parallel", "P")
        started = history.add("ParallelStateStarted")
        history.enter("Pass", "Left", previous=started)
        history.enter("Fail", "Right", previous=started)
        history.add("ParallelStateFailed", error="E")
        history.exit("Parallel", "P")
    runs = state_runs(history.events)
    assert [run.status for run in runs[-3:]] == [StateStatus.CAUGHT, StateStatus.ABORTED, StateStatus.FAILED]
    assert all(run.exited for run in runs)


def test_states_inside_of_each_other_without_end_are_read_too() -> None:
    history = Recorder()
    for _ in range(12_000):
        history.enter("Map", "M")
    for _ in range(12_000):
        history.exit("Pass", "Nobody")
    assert len(state_runs(history.events)) == 12_000


def test_each_event_belongs_to_the_state_it_lies_in():
    events = [
        {"id": 1, "type": "ExecutionStarted", "previousEventId": 0},
        {"id": 2, "type": "TaskStateEntered", "previousEventId": 0, "stateEnteredEventDetails": {"name": "Look"}},
        {"id": 3, "type": "TaskScheduled", "previousEventId": 2},
        {"id": 4, "type": "TaskStateExited", "previousEventId": 3, "stateExitedEventDetails": {"name": "Look"}},
        {"id": 5, "type": "PassStateEntered", "previousEventId": 4, "stateEnteredEventDetails": {"name": "Note"}},
        {"id": 6, "type": "PassStateExited", "previousEventId": 5, "stateExitedEventDetails": {"name": "Note"}},
        {"id": 7, "type": "ExecutionSucceeded", "previousEventId": 6},
    ]
    assert event_states(events) == {2: "Look", 3: "Look", 4: "Look", 5: "Note", 6: "Note"}


def test_an_event_without_a_predecessor_belongs_to_no_state_and_an_exit_to_its_own():
    entered = {"id": 1, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Look"}}
    left = {"id": 3, "type": "TaskStateExited", "previousEventId": 0, "stateExitedEventDetails": {"name": "Look"}}
    assert event_states([entered, {"id": 2, "type": "TaskScheduled"}, left]) == {1: "Look", 3: "Look"}
