"""What each state did, read from events as Step Functions returns them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scones_core.domain.history import (
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
    assert (run.status, run.retries, run.error, run.cause) == (StateStatus.SUCCEEDED, 1, None, None)


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
    with pytest.raises(BadInput, match=r"Event 2 of the history is damaged \(KeyError: 'stateEnteredEventDetails'\): "):
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


def test_a_fail_state_of_an_aborted_execution_has_no_error() -> None:
    history = Recorder()
    history.enter("Parallel", "Both")
    history.add("ParallelStateStarted")
    history.enter("Fail", "Give up")
    history.add("ExecutionAborted")
    both, fail = state_runs(history.events)
    assert (both.status, fail.status, fail.error) == (StateStatus.ABORTED, StateStatus.FAILED, None)


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


@pytest.mark.parametrize(
    ("kind", "attempt"),
    [("Task", "LambdaFunction"), ("Task", "Activity"), ("Parallel", "ParallelState"), ("Map", "MapState")],
)
def test_each_kind_of_state_counts_its_retries_and_forgets_the_error(kind: str, attempt: str) -> None:
    history = Recorder()
    begins = f"{attempt}Started" if attempt.endswith("State") else f"{attempt}Scheduled"
    history.enter(kind, "Ask")
    for _ in range(2):
        history.add(begins)
        history.add(f"{attempt}Failed", error="Busy", cause="why")
    history.add(begins)
    (run,) = state_runs(history.events)
    assert (run.status, run.retries, run.failures) == (StateStatus.RUNNING, 2, ("Busy", "Busy"))
    assert (run.error, run.cause) == (None, None)


def test_a_state_that_runs_when_the_time_of_its_execution_is_up_is_aborted() -> None:
    history = Recorder()
    history.enter("Wait", "Pause")
    history.add("ExecutionTimedOut", error="States.Timeout")
    (run,) = state_runs(history.events)
    assert (run.status, run.error) == (StateStatus.ABORTED, None)
    assert run.exited
