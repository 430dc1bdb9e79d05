"""Whatever JSON or bytes come in are a definition or an execution, or are refused with the product's own errors."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scones_core.domain.execution_export import exported_execution
from scones_core.domain.export_definition import in_order, usable_definition
from scones_core.domain.history import image_key, message_of, state_runs, status_by_state, steps_taken
from scones_core.domain.json_text import MAX_DEPTH, value_of
from scones_core.errors import BadDefinition, BadInput
from scones_core.local.workflow.asl.compile import compile_machine
from scones_core.local.workflow.asl.errors import DefinitionError
from scones_core.local.workflow.definitions import Definitions
from scones_core.ports import ExecutionStatus
from tests.unit.asl.machines import END, FUNCTION, FUNCTIONS, INVOKE
from tests.unit.asl.world import run

TEXTS = st.sampled_from([
    "", "$", "$.a", "$$", "$x", "$[*]", "{% 1 %}", "{% $states.input %}", "A", "B", "States.ALL", "x\ud800", "\0",
     "States.Array($)", "States.Format('{}', $)", "*\\", FUNCTION + "echo", INVOKE, "2016-03-14T01:59:00Z", "[*"
])  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.just(10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.text(max_size=3)
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


# Exports and histories

KINDS = st.sampled_from(
    ["ExecutionStarted", "TaskStateEntered", "MapStateEntered", "ParallelStateEntered", "FailStateEntered",
     "MapIterationStarted", "MapStateStarted", "MapIterationFailed", "ParallelStateFailed", "TaskScheduled",
     "TaskFailed", "TaskTimedOut", "MapRunStarted", "MapRunFailed", "TaskStateExited", "MapStateExited",
     "ExecutionFailed", "ExecutionAborted", "ExecutionSucceeded", "StateEntered", "Map", ""]
)  # fmt: skip
DETAILS = JSON | st.fixed_dictionaries(
    {}, optional={"name": TEXTS | JSON, "input": JSON, "output": JSON, "error": JSON, "cause": JSON, "index": JSON}
)  # fmt: skip
DETAILS_NAMES = ("stateEnteredEventDetails", "stateExitedEventDetails", "taskFailedEventDetails", "xEventDetails")
EVENTS = st.fixed_dictionaries(
    {},
    optional={"id": st.integers(0, 9) | JSON, "previousEventId": st.integers(0, 9) | JSON, "type": KINDS | JSON}
    | {"timestamp": st.just("2025-10-04T08:44:11Z") | JSON}
    | dict.fromkeys(DETAILS_NAMES, DETAILS),
)


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Events that fit as far as the reader demands it; all the rest is arbitrary."""
    events = []
    for number in range(1, draw(st.integers(1, 9))):
        named = {"name": draw(st.sampled_from("AB")), "input": draw(TEXTS)}
        details = {"stateEnteredEventDetails": named, "stateExitedEventDetails": named}
        moment = {"timestamp": "2025-10-04T08:44:11Z", "previousEventId": draw(st.integers(0, number + 1))}
        events.append({"id": number, "type": draw(KINDS), **moment, **draw(EVENTS), **details})
    return events


DOCUMENTS = JSON | histories() | st.lists(EVENTS, max_size=5)
EXPORTS = DOCUMENTS | st.fixed_dictionaries(
    {},
    optional={"execution": JSON | st.fixed_dictionaries({"name": JSON, "status": JSON, "input": JSON})}
    | {"historyHash": DOCUMENTS | st.dictionaries(st.text(max_size=2), EVENTS, max_size=3), "events": DOCUMENTS}
    | {"stateMachine": JSON | st.fixed_dictionaries({"definition": JSON})},
)


def refusal(call: Callable[[], Any], error: type[Exception]) -> str:
    """What the error says; nothing where none is raised."""
    try:
        call()
    except error as raised:
        return str(raised)
    return ""


def read_all(data: bytes) -> None:
    """Read what the page of imported executions reads."""
    if said := refusal(lambda: exported_execution(data), BadInput):
        assert "\n" not in said
        assert len(said) < 400
        return
    found = exported_execution(data)
    runs = state_runs(found.events)
    status_by_state(runs)
    steps_taken(runs)
    for run_ in runs:
        assert isinstance(run_.message, str)
        assert run_.image is None or isinstance(run_.image, str)
    shown = [found.name, found.machine, found.definition, in_order(runs), runs, found.input, found.output, found.error]
    json.dumps(shown, default=str, allow_nan=False).encode()
    str(shown).encode()  # as a page does, which half a surrogate pair would break


@given(st.binary(max_size=60))
@example(b"[" * 100_000)
def test_any_bytes_are_an_execution_or_refused(data: bytes):
    read_all(data)


@settings(max_examples=200)
@given(EXPORTS)
@example([{"id": 1, "type": "ExecutionStarted", "timestamp": 1, "x": deep(500)}])
@example({"execution": {"input": json.dumps(deep(500))}, "events": [{"id": 1, "type": "X", "timestamp": 1}]})
@example({"execution": {"name": 3}, "events": [{"id": 1, "type": "X", "timestamp": 1}]})
def test_any_json_is_an_execution_or_refused(document: Any):
    read_all(json.dumps(document).encode())


def test_what_does_not_fit_is_refused_with_its_place_and_the_reason():
    event = {"id": 1, "type": "X", "timestamp": 1}
    with pytest.raises(BadInput, match=r"“execution\.name” .*valid string"):
        exported_execution(json.dumps({"execution": {"name": 3}, "events": [event]}).encode())
    with pytest.raises(BadInput, match=r"Event 2 .*“id”.*integer"):
        exported_execution(json.dumps([event, event | {"id": "2"}]).encode())
    with pytest.raises(BadInput, match=r"Event 1 .*“previousEventId”: .*integer"):
        exported_execution(json.dumps([event | {"previousEventId": None}]).encode())


def test_json_in_an_export_that_lies_too_deep_to_be_shown_stays_text():
    text = json.dumps(deep(MAX_DEPTH + 1))
    details = {"name": "A", "output": text}
    events = [
        {"id": 1, "type": "TaskStateEntered", "timestamp": 1, "stateEnteredEventDetails": details},
        {"id": 2, "type": "TaskStateExited", "timestamp": 1, "stateExitedEventDetails": details},
    ]
    events[1]["previousEventId"] = 1
    (found,) = state_runs(exported_execution(json.dumps(events).encode()).events)
    assert found.output == text
    assert value_of(json.dumps(deep(MAX_DEPTH))) == deep(MAX_DEPTH)


@settings(max_examples=150)
@given(histories() | st.lists(EVENTS | JSON, max_size=5), JSON, st.text(max_size=8))
def test_histories_of_any_json_are_read_or_refused(events: Any, value: Any, text: str):
    image_key(value)
    message_of(text)
    usable_definition(value)
    said = refusal(lambda: state_runs(events), BadInput)
    assert not said or "of the history" in said


# Definitions

PATHS = st.sampled_from(
    ["$", "$.a", "$['a'][0]", "$$", "$$.State.Name", "$x", "$[*]", "$.a[?(@.b > 1)]", "$..a", "$[0:2]"]
)
CALLS = ["States.Array($, 1)", "States.Format('{}', $.a)", "States.MathAdd($, 1)", "States.JsonMerge($, $, false)"]
CALLS += [
    "States.StringToJson($)",
    "States.ArrayGetItem($, 0)",
    "States.ArrayRange(0, $.a, 1)",
    "States.StringSplit($, $)",
]
EXPRESSIONS = ["$states.input", "$states.input.a", "$x", "1", "$states.input = null", "[$states.input, null]"]
EXPRESSIONS += [
    "$map($states.input, $string)",
    "$states.context.State",
    "$count($states.input)",
    "$range(1, $states.input, 1)",
]
TEMPLATES = JSON | st.dictionaries(st.sampled_from(["x.$", "y.$"]), PATHS | st.sampled_from(CALLS), max_size=2)
JSONATA = JSON | st.sampled_from(EXPRESSIONS).map(lambda text: "{% " + text + " %}")
NUMBERS = st.integers(1, 9) | JSON
FLOW = {"InputPath": PATHS | JSON, "OutputPath": PATHS | JSON}
WORK = {**FLOW, "Parameters": TEMPLATES, "ResultSelector": TEMPLATES, "ResultPath": PATHS | JSON, "Assign": TEMPLATES}
ERRORS = st.sampled_from([["States.ALL"], ["States.Timeout"], ["States.TaskFailed"]])
RETRY = st.lists(st.fixed_dictionaries({"ErrorEquals": ERRORS}, optional={"MaxAttempts": NUMBERS}), max_size=1)
CATCH = st.lists(st.fixed_dictionaries({"ErrorEquals": ERRORS, "Next": st.just("B")}), max_size=1)
OPERATORS = {"StringMatches": TEXTS, "IsPresent": st.booleans(), "NumericEquals": NUMBERS, "StringEqualsPath": PATHS}
RULES = st.sampled_from(sorted(OPERATORS)).flatmap(
    lambda name: st.fixed_dictionaries({"Variable": PATHS, name: OPERATORS[name], "Next": st.just("B")})
)
LINE = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **LINE}
# By type and query language: the fields that a state must have, and those that it may have.
OF_JSONPATH: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Pass": ({}, {**FLOW, "Result": JSON, "Parameters": TEMPLATES, "ResultPath": PATHS | JSON, "Assign": TEMPLATES}),
    "Task": (
        {"Resource": st.sampled_from([FUNCTION + "echo", FUNCTION + "refuse", FUNCTION + "none"])},
        {**WORK, "Retry": RETRY, "Catch": CATCH, "TimeoutSeconds": NUMBERS, "HeartbeatSecondsPath": PATHS},
    ),
    "Choice": ({"Choices": st.lists(RULES, min_size=1, max_size=2), "Default": st.just("B")}, FLOW),
    "Wait": ({"SecondsPath": PATHS}, FLOW),
    "Fail": ({}, {"ErrorPath": PATHS, "Cause": TEXTS, "CausePath": st.sampled_from(CALLS)}),
    "Map": (
        {"ItemProcessor": st.sampled_from([LINE, DISTRIBUTED])},
        {
            "ItemsPath": PATHS,
            "ItemSelector": TEMPLATES,
            "MaxConcurrencyPath": PATHS,
            "ResultPath": PATHS,
            "Catch": CATCH,
        },
    ),
    "Parallel": ({"Branches": st.just([LINE])}, {**WORK, "Catch": CATCH}),
}
OF_JSONATA: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Pass": ({}, {"Output": JSONATA, "Assign": st.dictionaries(st.just("x"), JSONATA, max_size=1)}),
    "Task": ({"Resource": st.just(FUNCTION + "echo")}, {"Arguments": JSONATA, "Output": JSONATA, "Catch": CATCH}),
    "Wait": ({"Seconds": JSONATA}, {"Output": JSONATA}),
    "Fail": ({}, {"Error": JSONATA, "Cause": JSONATA}),
    "Map": ({"ItemProcessor": st.just(LINE)}, {"Items": JSONATA, "ItemSelector": JSONATA, "MaxConcurrency": JSONATA}),
}  # fmt: skip


@st.composite
def machines(draw: st.DrawFn) -> Mapping[str, Any]:
    """State A, with fields of its type and values that may fit, leads to B."""
    language, types = draw(st.sampled_from([("JSONPath", OF_JSONPATH), ("JSONata", OF_JSONATA)]))
    kind = draw(st.sampled_from(sorted(types)))
    needed, optional = types[kind]
    chosen = draw(st.sets(st.sampled_from(sorted(optional)), max_size=2))
    state = draw(st.fixed_dictionaries(needed | {name: optional[name] for name in chosen}))
    following = {} if kind in ("Choice", "Fail") else {"Next": "B"}
    first = {"A": {"Type": kind, **state, **following}}
    if kind == "Fail":
        first = {
            "A": {"Type": "Choice", "Choices": [{"Condition": False, "Next": "B"}], "Default": "F"},
            "F": first["A"],
        }
        if language == "JSONPath":
            first["A"]["Choices"] = [{"Variable": "$.no", "IsPresent": True, "Next": "B"}]
    return {"QueryLanguage": language, "StartAt": "A", "States": {**first, "B": END}}


INPUTS = JSON | st.fixed_dictionaries({"a": JSON | st.lists(st.integers(0, 3), max_size=3)})


@settings(max_examples=200)
@given(machines(), INPUTS)
def test_a_machine_that_fits_somehow_ends_or_is_refused(definition: Any, value: Any):
    if refusal(lambda: compile_machine(definition), DefinitionError):
        return
    ended = run(json.loads(json.dumps(definition)), value, functions=FUNCTIONS, stop_after=1e6)
    assert ended.execution.status in set(ExecutionStatus) - {ExecutionStatus.RUNNING}
    assert not re.search(r"^[A-Z][A-Za-z]+Error: ", str(ended.cause)), "a defect, told by its Python class"


@settings(max_examples=200)
@given(JSON | st.fixed_dictionaries({"StartAt": TEXTS, "States": JSON | st.dictionaries(TEXTS, JSON, max_size=2)}))
def test_any_json_is_a_machine_or_refused(definition: Any):
    refusal(lambda: compile_machine(definition), DefinitionError)


def passing(**fields: Any) -> dict[str, Any]:
    return {"StartAt": "S", "States": {"S": {"Type": "Pass", **fields, "End": True}}}


@pytest.mark.parametrize(
    "definition",
    [
        passing(Result=float("nan")),
        passing(Comment="\ud800"),
        passing(Result={1, 2}),
        passing(Result=deep(10_000)),
        passing(Result="x" * 1_100_000),
        passing(Parameters={"x.$": "States.Array(" * 5_000}),
        passing(InputPath="$" + "[?(@" * 5_000),
        passing(QueryLanguage="JSONata", Output="{% " + "(" * 9_000 + " %}"),
        ["StartAt"],
        None,
    ],
)
def test_a_definition_that_cannot_be_kept_is_refused(tmp_path: Path, definition: Any):
    machines = Definitions(tmp_path, tmp_path / "own")
    with pytest.raises(BadDefinition, match="State machine 'bad': "):
        machines.put("bad", definition)
    assert list(machines.names()) == []
