"""What a workflow service does, on every backend."""

import uuid
from datetime import datetime
from typing import Any

import pytest

from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.ports import Backend, Execution, ExecutionStatus
from tests.contract.conftest import until

MACHINE = "classify_image"
STATES = ["Serialize Image Data", "Image Classification", "Inference Confidence Filtering"]
WAITING = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}


def unique(stem: str = "execution") -> str:
    return f"{stem}-{uuid.uuid4().hex[:10]}"


def step_input(backend: Backend, key: str) -> dict[str, str]:
    return {"image_data": "", "s3_bucket": backend.objects.bucket, "s3_key": key}


def finished(backend: Backend, name: str) -> Execution:
    until(lambda: backend.workflows.describe(name).status is not ExecutionStatus.RUNNING)
    return backend.workflows.describe(name)


def run(backend: Backend, key: str) -> Execution:
    name = unique()
    backend.workflows.start(MACHINE, name, step_input(backend, key))
    return finished(backend, name)


@pytest.fixture
def waiting(backend: Backend) -> Execution:
    """An execution that runs until it is stopped."""
    backend.machines.put("wait_long", WAITING)
    execution = backend.workflows.start("wait_long", unique("waits"), {"n": 1})
    yield execution
    backend.workflows.stop(execution.name)


def test_an_image_goes_through_and_comes_out_with_its_probabilities(
    backend: Backend, endpoint: str, image_keys: list[str]
):
    backend.workflows.configure({"THRESHOLD": "0.0"})
    done = run(backend, image_keys[0])
    assert done.status is ExecutionStatus.SUCCEEDED
    assert done.output["body"]["s3_key"] == image_keys[0]
    assert sum(done.output["body"]["inferences"]) == pytest.approx(1)
    assert done.started <= done.stopped
    assert (done.machine, done.input) == (MACHINE, step_input(backend, image_keys[0]))


def test_an_execution_keeps_the_definition_it_was_started_with(backend: Backend, waiting: Execution):
    backend.machines.put("wait_long", {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    assert backend.workflows.definition_of(waiting.name) == WAITING
    with pytest.raises(NotFound):
        backend.workflows.definition_of("no-such-execution")


def test_at_the_threshold_an_execution_fails_loudly(backend: Backend, endpoint: str, image_keys: list[str]):
    backend.workflows.configure({"THRESHOLD": "1.0"})
    done = run(backend, image_keys[0])
    assert (done.status, done.error) == (ExecutionStatus.FAILED, "THRESHOLD_CONFIDENCE_NOT_MET")
    assert "does not exceed the threshold" in done.cause
    assert done.output is None


def test_configuring_one_variable_keeps_the_others(backend: Backend, endpoint: str, image_keys: list[str]):
    backend.workflows.configure({"THRESHOLD": "0.0"})
    backend.workflows.configure({"ANOTHER": "value"})
    assert run(backend, image_keys[0]).status is ExecutionStatus.SUCCEEDED


def test_a_missing_image_fails_with_the_name_of_the_error(backend: Backend, endpoint: str):
    assert run(backend, "test/gone.png").error == "NoSuchKey"


def test_the_history_names_the_states_and_carries_the_probabilities(
    backend: Backend, endpoint: str, image_keys: list[str]
):
    backend.workflows.configure({"THRESHOLD": "1.0"})
    done = run(backend, image_keys[0])
    events = backend.workflows.history(done.name)
    assert [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e] == STATES
    assert (events[0]["type"], events[-1]["type"]) == ("ExecutionStarted", "ExecutionFailed")
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert all(datetime.fromisoformat(event["timestamp"]).tzinfo for event in events)
    outputs = [e["stateExitedEventDetails"]["output"] for e in events if "stateExitedEventDetails" in e]
    assert "inferences" in outputs[-1]


def test_starting_the_same_again_while_it_runs_is_one_execution(backend: Backend, waiting: Execution):
    again = backend.workflows.start(waiting.machine, waiting.name, {"n": 1})
    assert (again.name, again.started) == (waiting.name, again.started)
    assert sum(e.name == waiting.name for e in backend.workflows.list("wait_long")) == 1


def test_another_input_under_the_same_name_is_a_conflict(backend: Backend, waiting: Execution):
    with pytest.raises(Conflict, match="ExecutionAlreadyExists"):
        backend.workflows.start(waiting.machine, waiting.name, {"n": 2})


def test_the_name_of_an_ended_execution_is_taken(backend: Backend, endpoint: str, image_keys: list[str]):
    done = run(backend, image_keys[0])
    with pytest.raises(Conflict, match="ExecutionAlreadyExists"):
        backend.workflows.start(MACHINE, done.name, done.input)


def test_a_stopped_execution_is_aborted_with_its_reason(backend: Backend, waiting: Execution):
    assert waiting.status is ExecutionStatus.RUNNING
    backend.workflows.stop(waiting.name, error="Enough", cause="It took too long.")
    done = finished(backend, waiting.name)
    assert (done.status, done.error, done.cause) == (ExecutionStatus.ABORTED, "Enough", "It took too long.")


def test_executions_are_listed_newest_first_and_page_by_page(backend: Backend, endpoint: str, image_keys: list[str]):
    names = [run(backend, image_keys[0]).name for _ in range(3)]
    newest = [execution.name for execution in backend.workflows.list(MACHINE, limit=3)]
    assert newest == names[::-1]
    following = backend.workflows.list(MACHINE, limit=1, before=names[2])
    assert [execution.name for execution in following] == [names[1]]


def test_a_listing_can_be_narrowed_to_a_status(backend: Backend, endpoint: str, image_keys: list[str]):
    backend.workflows.configure({"THRESHOLD": "1.0"})
    failed = run(backend, image_keys[0]).name
    listed = backend.workflows.list(MACHINE, status=ExecutionStatus.FAILED, limit=5)
    assert listed[0].name == failed
    assert listed[0].error == "THRESHOLD_CONFIDENCE_NOT_MET"
    assert {execution.status for execution in listed} == {ExecutionStatus.FAILED}


def test_a_batch_tells_what_became_of_each_image(backend: Backend, endpoint: str, image_keys: list[str], prefix: str):
    backend.workflows.configure({"THRESHOLD": "0.0"})
    images = [(f"{prefix}{number}.png", backend.objects.get(key)) for number, key in enumerate(image_keys[:3])]
    backend.objects.put_many([*images, (f"{prefix}text.png", b"this is text")])
    name = unique("batch")
    backend.workflows.start("classify_batch", name, {"s3_bucket": backend.objects.bucket, "s3_prefix": prefix})
    done = finished(backend, name)
    assert done.status is ExecutionStatus.SUCCEEDED, (done.error, done.cause)
    counts = {kind: done.output[kind] for kind in ("images", "accepted", "low_confidence", "errors")}
    assert counts == {"images": 4, "accepted": 3, "low_confidence": 0, "errors": 1}
    assert done.output["error_keys"] == [f"{prefix}text.png"]


def test_an_unknown_execution_is_not_found(backend: Backend):
    for ask in (backend.workflows.describe, backend.workflows.history, backend.workflows.stop):
        with pytest.raises(NotFound, match="No execution"):
            ask("never-was")


def test_an_unknown_state_machine_is_not_found(backend: Backend):
    with pytest.raises(NotFound, match="No state machine"):
        backend.workflows.start("never_was", unique(), {})


@pytest.mark.parametrize("given", [{"text": "x" * 262_144}, float("nan"), {"set": {1}}], ids=["large", "nan", "set"])
def test_an_input_that_step_functions_would_refuse_is_refused(backend: Backend, given: Any):
    with pytest.raises(BadInput, match="The input"):
        backend.workflows.start(MACHINE, unique(), given)


@pytest.mark.parametrize("name", ["", "with space", "x" * 81])
def test_a_name_that_step_functions_would_refuse_is_refused(backend: Backend, name: str):
    with pytest.raises(BadInput, match="is not a valid execution name"):
        backend.workflows.start(MACHINE, name, {})
