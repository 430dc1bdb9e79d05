"""Executions exported from AWS, read from what the console and the command line write."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scones_core.domain.execution_export import exported_execution
from scones_core.domain.export_definition import in_order
from scones_core.domain.history import StateStatus, state_runs
from scones_core.errors import BadInput

START = datetime(2025, 8, 22, 4, 7, 56, 275000, tzinfo=UTC)
DEFINITION = {
    "StartAt": "Serialize",
    "States": {
        "Serialize": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "Filter"},
        "Filter": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True},
    },
}
INPUT = json.dumps({"s3_key": "test/bicycle_s_000513.png"})


def event(number: int, kind: str, **details: Any) -> dict[str, Any]:
    moment = (START + timedelta(milliseconds=100 * number)).isoformat().replace("+00:00", "Z")
    previous = 0 if number <= 2 else number - 1
    return {"id": number, "previousEventId": previous, "timestamp": moment, "type": kind, **details}


def events() -> list[dict[str, Any]]:
    """One state succeeds after a retry, the other fails."""
    late = {"error": "Lambda.TooManyRequestsException", "cause": "Rate exceeded"}
    low = {"error": "THRESHOLD_CONFIDENCE_NOT_MET", "cause": json.dumps({"errorMessage": "0.6 is too low"})}
    return [
        event(1, "ExecutionStarted", executionStartedEventDetails={"input": INPUT, "roleArn": "arn:aws:iam::1:role/r"}),
        event(2, "TaskStateEntered", stateEnteredEventDetails={"name": "Serialize", "input": INPUT}),
        event(3, "TaskScheduled", taskScheduledEventDetails={"resource": "invoke", "parameters": {"Payload": {}}}),
        event(4, "TaskFailed", taskFailedEventDetails=late),
        event(5, "TaskScheduled", taskScheduledEventDetails={"resource": "invoke", "parameters": {"Payload": {}}}),
        event(6, "TaskSucceeded", taskSucceededEventDetails={"output": "{}"}),
        event(7, "TaskStateExited", stateExitedEventDetails={"name": "Serialize", "output": INPUT}),
        event(8, "TaskStateEntered", stateEnteredEventDetails={"name": "Filter", "input": INPUT}),
        event(9, "TaskScheduled"),
        event(10, "TaskFailed", taskFailedEventDetails=low),
        event(11, "ExecutionFailed", executionFailedEventDetails=low),
    ]


def console_export(**changes: Any) -> dict[str, Any]:
    """As the console's Export writes it, with the parts that are not read left out."""
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:ImageClassifier"
    return {
        "flattenDefinition": {},
        "execution": {
            "name": "test-1755835675",
            "stateMachineArn": machine,
            "status": "RUNNING",  # as it was when the page was opened
            "startDate": "2025-08-22T04:07:56.275Z",
            "input": INPUT,
            "redriveCount": 0,
        },
        "historyHash": {str(one["id"]): one | {"redriveId": 0} for one in events()},
        "stateMachine": {"definition": json.dumps(DEFINITION), "name": "ImageClassifier"},
        "status": "2",
        **changes,
    }


def read(document: Any) -> Any:
    return exported_execution(json.dumps(document).encode(), "file")


def test_the_consoles_export_gives_the_execution_with_its_definition() -> None:
    found = read(console_export())
    assert (found.name, found.machine) == ("test-1755835675", "ImageClassifier")
    assert found.input == {"s3_key": "test/bicycle_s_000513.png"}
    assert found.definition == DEFINITION
    assert len(found.events) == 11


def test_the_events_count_more_than_the_status_in_the_heading() -> None:
    found = read(console_export())
    assert found.status == "FAILED"
    assert found.error == "THRESHOLD_CONFIDENCE_NOT_MET"
    assert found.stopped - found.started == timedelta(seconds=1)


def test_the_states_of_an_export_are_read_as_those_of_this_app() -> None:
    serialize, filtered = state_runs(read(console_export()).events)
    assert (serialize.status, serialize.retries) == (StateStatus.SUCCEEDED, 1)
    assert serialize.failures == ("Lambda.TooManyRequestsException",)
    assert (filtered.status, filtered.message) == (StateStatus.FAILED, "0.6 is too low")
    assert filtered.image == "test/bicycle_s_000513.png"


def test_events_in_reverse_order_are_put_in_order() -> None:
    found = read({"events": events()[::-1]})
    assert [one["id"] for one in found.events] == list(range(1, 12))
    assert (found.name, found.definition) == ("file", None)


@pytest.mark.parametrize("factor", [1, 1000], ids=["seconds", "milliseconds"])
def test_times_may_be_epoch_numbers(factor: int) -> None:
    numbered = [one | {"timestamp": datetime.fromisoformat(one["timestamp"]).timestamp() * factor} for one in events()]
    assert read({"events": numbered}).started == read({"events": events()}).started


def test_times_with_an_offset_become_utc() -> None:
    first = events()[0] | {"timestamp": "2025-08-22T06:07:56.275000+02:00"}
    assert read([first]).started == START


def test_a_bare_list_of_events_is_read_too() -> None:
    assert read(events()).status == "FAILED"


def test_without_a_definition_the_states_stand_in_the_order_in_which_they_were_entered() -> None:
    definition = in_order(state_runs(read(events()).events))
    assert definition["StartAt"] == "Serialize"
    assert definition["States"] == {
        "Serialize": {"Type": "Task", "Next": "Filter"},
        "Filter": {"Type": "Task", "End": True},
    }


@pytest.mark.parametrize("config", [None, "EXPRESS", 3, []])
def test_a_map_with_odd_settings_cannot_be_drawn(config: object) -> None:
    inner = {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}, "ProcessorConfig": config}
    states = {"A": {"Type": "Map", "ItemProcessor": inner, "End": True}}
    definition = json.dumps({"StartAt": "A", "States": states})
    assert read(console_export(stateMachine={"definition": definition})).definition is None


@pytest.mark.parametrize(
    "state",
    [
        {"Type": 3},
        {"Next": ["A"]},
        {"Default": {}},
        {"Choices": {}},
        {"Catch": {}},
        {"Branches": "two"},
        {"Choices": [3]},
        {"Choices": [{"Next": 3}]},
        {"Iterator": {"States": {}}},
        {"Type": 3, "Choices": []},
    ],
    ids=str,
)
def test_a_state_with_a_field_of_another_kind_cannot_be_drawn(state: dict[str, Any]) -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Choice", **state}}}
    assert read(console_export(stateMachine={"definition": definition})).definition is None
    definition["States"] = {"A": {"Type": "Choice", "Choices": [{"Next": "A"}], "Default": "A"}}
    assert read(console_export(stateMachine={"definition": definition})).definition == definition


def test_states_within_states_count() -> None:
    wide = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [states(250), states(250)]}}}
    assert read(console_export(stateMachine={"definition": wide})).definition is None


@pytest.mark.parametrize("field", ["input", "output", "error", "cause"])
def test_details_that_are_no_text_are_shown_as_json(field: str) -> None:
    [seen] = read([event(1, "TaskScheduled", taskScheduledEventDetails={field: {"a": [1]}})]).events
    assert seen["taskScheduledEventDetails"][field] == '{"a": [1]}'


@pytest.mark.parametrize(
    "definition",
    ["no JSON", "[]", '{"StartAt": "A", "States": {}}', '{"StartAt": "A", "States": {"B": {}}}',
     '{"StartAt": ["A"], "States": {"A": {"Type": "Pass"}}}', '{"StartAt": "A", "States": {"A": {"Catch": [{}]}}}',
     '{"StartAt": "A", "States": {"A": {"Branches": [3]}}}', "[" * 100_000],
    ids=["text", "list", "empty", "dangling", "odd", "catch", "branches", "deep"],
)  # fmt: skip
def test_a_definition_that_cannot_be_drawn_is_left_out(definition: str) -> None:
    assert read(console_export(stateMachine={"definition": definition})).definition is None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not readable JSON"),
        (b"[" * 200_000, "not readable JSON"),
        (b"9" * 10_000, "not readable JSON"),
        (b'{"events": [', "line 1, column 13"),
        (b"3", "contains no execution"),
        (b'{"States": {}, "StartAt": "A"}', "contains no execution"),
        (b'{"historyHash": "x"}', "contains no execution"),
        (b"[]", "is empty"),
        (b"[3]", "Event 1"),
        (b'[{"id": 1}]', "lacks its"),
        (b'[{"id": true, "type": "X", "timestamp": 1}]', "lacks its"),
        (b'[{"id": 1, "type": "ExecutionStarted", "timestamp": "soon"}]', "no readable time"),
        (b'[{"id": 1, "type": "ExecutionStarted", "timestamp": 1e300}]', "no readable time"),
        (b'[{"id": 1, "type": "ExecutionStarted", "timestamp": NaN}]', "no readable time"),
        (b'[{"id": 1, "type": "ExecutionStarted", "timestamp": true}]', "no readable time"),
        (b'[{"id": 1, "type": "ExecutionStarted", "timestamp": [1]}]', "no readable time"),
        (b'{"execution": {"name": 3}, "events": []}', "“execution.name” in the file is invalid"),
        (b'{"events": ' + b'{"a":' * 300 + b"1" + b"}" * 301, "more than 200 levels"),
        (b'[{"id": 1, "type": "TaskStateEntered", "timestamp": 1}]', "has no state name"),
        (b'[{"id": 1, "type": "X", "timestamp": 1, "xEventDetails": 3}]', "damaged"),
        (b'[{"id": 1, "type": "X", "timestamp": 1}, {"id": 1, "type": "X", "timestamp": 1}]', "same id"),
        (json.dumps([{"id": n} for n in range(25_001)]).encode(), "at most 25,000"),
    ],
)  # fmt: skip
def test_what_is_no_execution_is_refused_in_one_sentence(data: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        exported_execution(data)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("document", "name", "machine"),
    [
        ({"execution": {"name": " one "}}, "one", "not named in the file"),
        ({"execution": {"name": " ", "executionArn": "arn:aws:states:eu:1:execution:m:two"}}, "two", None),
        ({"execution": "three"}, "three", None),
        ({"execution": {"stateMachineArn": "arn:aws:states:eu:1:stateMachine:m"}}, "file", "m"),
        ({}, "file", "not named in the file"),
    ],
)
def test_an_execution_is_named_by_whatever_names_it(document: dict[str, Any], name: str, machine: str | None) -> None:
    found = read({**document, "events": events()})
    assert found.name == name
    assert found.machine == (machine or "not named in the file")


def test_what_the_events_do_not_tell_is_taken_from_the_heading() -> None:
    ended = [events()[0], event(2, "ExecutionFailed")]
    heading = {"error": "E", "cause": "why", "output": '{"a": 1}', "definition": json.dumps(DEFINITION)}
    found = read({"execution": heading, "events": ended})
    assert (found.status, found.error, found.cause, found.output) == ("FAILED", "E", "why", {"a": 1})
    assert found.definition == DEFINITION
    ended[1]["executionFailedEventDetails"] = {"error": "F", "cause": "because"}
    found = read({"execution": heading, "events": ended})
    assert (found.error, found.cause) == ("F", "because")


def test_an_execution_that_has_not_ended_has_no_end_and_no_error() -> None:
    found = read({"execution": {"status": "SUCCEEDED"}, "events": events()[:4]})
    assert (found.status, found.stopped, found.error, found.cause) == ("SUCCEEDED", None, None, None)
    assert read({"execution": {"status": "odd"}, "events": events()[:4]}).status == "RUNNING"


@pytest.mark.parametrize(
    ("timestamp", "seconds"),
    [(99_999_999_999, 99_999_999_999), (100_000_000_001, 100_000_000.001), (0, 0), (1.5, 1.5)],
)
def test_epoch_numbers_beyond_the_year_5138_are_milliseconds(timestamp: float, seconds: float) -> None:
    started = read([event(1, "ExecutionStarted") | {"timestamp": timestamp}]).started
    assert started == datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(("index", "iteration"), [(3, 3), (-1, 0), (True, 0), ("2", 0), (None, 0)])
def test_an_index_that_is_none_is_the_first(index: object, iteration: int) -> None:
    started = {"mapIterationStartedEventDetails": {"name": "Each", "index": index}}
    run = [
        event(1, "MapStateEntered", stateEnteredEventDetails={"name": "Each"}),
        event(2, "MapStateStarted") | {"previousEventId": 1},
        event(3, "MapIterationStarted", **started),
        event(4, "PassStateEntered", stateEnteredEventDetails={"name": "One"}),
    ]
    assert state_runs(read(run).events)[1].iterations == (iteration,)


def nested(depth: int) -> dict[str, Any]:
    state = {"Type": "Map", "ItemProcessor": nested(depth - 1)} if depth else {"Type": "Pass"}
    return {"StartAt": "S", "States": {"S": state}}


def states(count: int) -> dict[str, Any]:
    return {"StartAt": "S0", "States": {f"S{n}": {"Type": "Pass", "End": True} for n in range(count)}}


@pytest.mark.parametrize(
    ("definition", "drawn"), [(nested(10), True), (nested(11), False), (states(500), True), (states(501), False)]
)
def test_definitions_are_drawn_up_to_ten_levels_and_500_states(definition: dict[str, Any], drawn: bool) -> None:
    assert read(console_export(stateMachine={"definition": definition})).definition == (definition if drawn else None)


def test_the_largest_history_is_read() -> None:
    assert len(read([event(n, "TaskScheduled") for n in range(1, 25_001)]).events) == 25_000


def test_odd_details_do_not_keep_the_rest_from_being_shown() -> None:
    odd = [
        event(1, "ExecutionStarted", executionStartedEventDetails={"input": {"a": 1}}),
        event(2, "MapStateEntered", stateEnteredEventDetails={"name": "Each", "input": None}),
        event(3, "MapIterationStarted", mapIterationStartedEventDetails={"name": "Each", "index": "first"}),
        event(4, "TaskFailed", taskFailedEventDetails={"error": ["x"], "cause": 3}),
        event(5, "ParallelStateExited", stateExitedEventDetails={"name": "Nobody", "output": "{"}),
        event(99, "MapIterationSucceeded"),
    ]
    found = read({"events": odd})
    assert found.status == "RUNNING"
    assert [run.name for run in state_runs(found.events)] == ["Each"]
