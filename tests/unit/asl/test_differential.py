"""Our interpreter against moto's, on a corpus of machines and on random ones: same status, output and history.

Where moto departs from AWS, `DEPARTURES` tells what AWS does.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.asl import world
from tests.unit.asl.corpus import CORPUS
from tests.unit.asl.machines import FUNCTIONS
from tests.unit.asl.moto_runner import Moto, moto
from tests.unit.asl.random_machines import machines

RANDOM_MACHINES = 25  # a run

# Where moto departs from AWS: name of the case → what AWS does

DEPARTURES: dict[str, str] = {
    "pass output path": "a definite path gives the value itself, also behind an index; moto puts it into a list",
    "pass result under a number": "fails with States.ResultPathMatchFailure; moto with a TypeError of Python",
    "parallel selector": "as with the output path",
    "pass missing parameter": "the cause shows the input as compact JSON; moto shows it with spaces",
    r"intrinsic 3 States.Format('it\'s {}', 1)": "the backslash of an escaped apostrophe goes; moto keeps it",
    "intrinsic 7 States.Array(1, 'two', $.a, null)": "null is an argument; moto does not parse it",
    "choice without default": "fails with States.NoChoiceMatched; moto with States.Runtime and a text of Python",
    "choice of what is missing": "fails, for only IsPresent can ask for what is missing; moto takes the default",
    "task no function": "fails with Lambda.ResourceNotFoundException; moto with the exception of its own client",
    "task output missing": "names the event that entered the state; moto names a later one",
    "map distributed": "MapStateExited follows MapRunStarted; in moto, as on AWS until 2024, MapRunSucceeded",
    "map of what is no list": "fails with States.Runtime; moto raises inside its interpreter and never ends the state",
}


@pytest.fixture(scope="module")
def other() -> Iterator[Moto]:
    logging.getLogger("moto").setLevel(logging.CRITICAL)  # it logs every error of a machine, and at length
    with moto(FUNCTIONS) as running:
        yield running


def normal(value: Any) -> Any:
    """JSON texts parsed, and what differs from run to run, or by account and region, left out."""
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, Mapping):
        return {name: normal(item) for name, item in value.items() if name not in VARYING}
    if isinstance(value, str) and value[:1] in ("{", "[", '"'):
        try:
            return normal(json.loads(value))
        except ValueError:
            return value
    return value


# moto tells less of a call of lambda:invoke than AWS does: neither SdkHttpMetadata nor ExecutedVersion.
VARYING = {
    "timestamp", "roleArn", "region", "stackTrace", "requestId", "mapRunArn", "RoleArn", "Id", "StartTime", "Name",
    "EnteredTime", "SdkHttpMetadata", "SdkResponseMetadata", "ExecutedVersion", "RedriveCount",
}  # fmt: skip


def unordered(events: list[Any]) -> list[Any]:
    """Branches that run at once interleave as they like: compare the events without ids and order."""
    plain = [{name: item for name, item in event.items() if name not in ("id", "previousEventId")} for event in events]
    return sorted(plain, key=lambda event: json.dumps(event, sort_keys=True))


def without_aborts(events: Sequence[Any]) -> list[Any]:
    """moto records neither …StateAborted nor MapIterationAborted where a branch fails; AWS does."""
    kept = [event for event in events if not event["type"].endswith(("StateAborted", "IterationAborted"))]
    ids = {event["id"]: place for place, event in enumerate(kept, start=1)} | {0: 0}
    return [event | {"id": ids[event["id"]], "previousEventId": ids[event["previousEventId"]]} for event in kept]


@pytest.mark.parametrize("name", [name for name in CORPUS if name not in DEPARTURES])
def test_history_is_the_one_of_moto(name: str, other: Moto):
    case = CORPUS[name]
    execution, events = other.run(case.definition, case.given)
    ours = world.run(case.definition, case.given, functions=FUNCTIONS)
    assert ours.status == execution["status"]
    theirs, own = normal(events), normal(without_aborts(ours.events))
    if case.concurrent:
        theirs, own = unordered(theirs), unordered(own)
    assert own == theirs


@pytest.mark.parametrize("name", DEPARTURES)
def test_moto_departs_from_aws_where_it_is_said_to(name: str, other: Moto):
    """Fails when moto is mended, so that the entry can go."""
    case = CORPUS[name]
    execution, events = other.run(case.definition, case.given)
    ours = world.run(case.definition, case.given, functions=FUNCTIONS)
    assert (ours.status, normal(list(ours.events))) != (execution["status"], normal(events))


@settings(
    max_examples=RANDOM_MACHINES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(machine=machines(), value=st.integers(-3, 3))
def test_random_machines_end_alike(machine: Mapping[str, Any], value: int, other: Moto):
    execution, events = other.run(machine, {"n": value, "list": [1, 2]})
    ours = world.run(machine, {"n": value, "list": [1, 2]}, functions=FUNCTIONS)
    assert ours.status == execution["status"]
    assert normal(without_aborts(ours.events)) == normal(events)


def test_the_corpus_is_large():
    assert len(CORPUS) >= 100
