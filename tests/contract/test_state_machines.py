"""What the store of state machines does, on every backend."""

import json
import uuid
from pathlib import Path

import pytest

from scones_core.errors import BadDefinition, NotFound
from scones_core.ports import Backend, ExecutionStatus
from tests.contract.conftest import until

INFRA = Path(__file__).resolve().parents[2] / "infra"
PASS = {"StartAt": "Say", "States": {"Say": {"Type": "Pass", "Result": {"said": 1}, "End": True}}}


def said(backend: Backend, machine: str) -> object:
    name = f"says-{uuid.uuid4().hex[:10]}"
    backend.workflows.start(machine, name, {})
    until(lambda: backend.workflows.describe(name).status is not ExecutionStatus.RUNNING)
    return backend.workflows.describe(name).output


@pytest.mark.parametrize("file", sorted(INFRA.glob("*.asl.json")), ids=lambda file: file.name.removesuffix(".asl.json"))
def test_the_state_machines_of_infra_are_there_as_they_lie(backend: Backend, file: Path):
    machine = file.name.removesuffix(".asl.json")
    assert machine in backend.machines.names()
    assert backend.machines.definition(machine) == json.loads(file.read_text())


def test_a_state_machine_can_be_added_and_run(backend: Backend):
    backend.machines.put("says", PASS)
    assert "says" in backend.machines.names()
    assert backend.machines.definition("says") == PASS
    assert said(backend, "says") == {"said": 1}


def test_a_state_machine_can_be_replaced(backend: Backend):
    backend.machines.put("says_more", PASS)
    backend.machines.put("says_more", {**PASS, "States": {"Say": {**PASS["States"]["Say"], "Result": {"said": 2}}}})
    assert said(backend, "says_more") == {"said": 2}


def test_a_state_machine_may_call_the_functions_by_their_substitutions(
    backend: Backend, endpoint: str, image_keys: list[str]
):
    machine = json.loads((INFRA / "classify_image.asl.json").read_text())
    first = machine["StartAt"]
    only = {"StartAt": first, "States": {first: {k: v for k, v in machine["States"][first].items() if k != "Next"}}}
    only["States"][first]["End"] = True
    backend.machines.put("serializes", only)
    name = f"serializes-{uuid.uuid4().hex[:10]}"
    backend.workflows.start("serializes", name, {"s3_bucket": backend.objects.bucket, "s3_key": image_keys[0]})
    until(lambda: backend.workflows.describe(name).status is not ExecutionStatus.RUNNING)
    assert backend.workflows.describe(name).output["body"]["image_data"]


def test_a_definition_that_is_none_is_refused_and_not_kept(backend: Backend):
    with pytest.raises(BadDefinition):
        backend.machines.put("broken", {"StartAt": "Nowhere", "States": {"Somewhere": {"Type": "Nonsense"}}})
    assert "broken" not in backend.machines.names()


@pytest.mark.parametrize("name", ["", "with space", "a/b", "x" * 81])
def test_a_name_that_step_functions_would_refuse_is_refused(backend: Backend, name: str):
    with pytest.raises(BadDefinition, match="is not a valid state machine name"):
        backend.machines.put(name, PASS)


def test_an_unknown_state_machine_is_not_found(backend: Backend):
    with pytest.raises(NotFound, match="No state machine"):
        backend.machines.definition("never_was")
