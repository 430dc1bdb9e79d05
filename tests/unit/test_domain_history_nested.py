"""States in branches and iterations, at any depth, read from events as Step Functions returns them."""

from scones_core.domain.history import (
    StateRun,
    StateStatus,
    state_runs,
    status_by_state,
    steps_taken,
)
from tests.unit.test_domain_history import START, Recorder


def test_a_state_in_a_branch_of_a_parallel_in_a_map_belongs_to_its_iteration() -> None:
    history = Recorder()
    history.enter("Map", "Each")
    started = history.add("MapStateStarted", length=2)
    for index in (0, 1):
        history.add("MapIterationStarted", started, name="Each", index=index)
        history.enter("Parallel", "Both")
        both = history.add("ParallelStateStarted")
        for name in ("Left", "Right"):
            history.enter("Pass", name, previous=both)
            last = history.exit("Pass", name)
        history.add("ParallelStateSucceeded", last)
        history.exit("Parallel", "Both", [])
        history.enter("Pass", "After")
        history.exit("Pass", "After")
        last = history.add("MapIterationSucceeded", name="Each", index=index)
    history.add("MapStateSucceeded", last)
    history.exit("Map", "Each", [])
    runs = state_runs(history.events)
    inner = [(name, (index,)) for index in (0, 1) for name in ("Both", "Left", "Right", "After")]
    assert [(run.name, run.iterations) for run in runs] == [("Each", ()), *inner]
    assert {run.status for run in runs} == {StateStatus.SUCCEEDED}


def test_a_state_in_a_map_in_a_map_has_the_index_in_the_outer_one_first() -> None:
    history = Recorder()
    history.enter("Map", "Outer")
    history.add("MapStateStarted", length=6)
    history.add("MapIterationStarted", name="Outer", index=5)
    history.enter("Map", "Inner")
    history.add("MapStateStarted", length=3)
    history.add("MapIterationStarted", name="Inner", index=2)
    history.enter("Pass", "One")
    assert [run.iterations for run in state_runs(history.events)] == [(), (5,), (5, 2)]


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
