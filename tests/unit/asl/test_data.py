"""How data flows through a state with JSONPath: paths, templates, intrinsic functions, variables."""

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.asl.machines import FUNCTION, FUNCTIONS, INVOKE, invoke, one, passing, task
from tests.unit.asl.world import Ended, run

DATA = {"a": {"b": [1, 2, 3], "c": None}, "text": "hello", "n": 5, "list": [{"k": 1}, {"k": 2}], "odd key": 1}


def value(expression: str, given: Any = DATA) -> Any:
    """What an expression gives in a payload template."""
    ended = run(passing(Parameters={"x.$": expression}), given)
    assert ended.status == "SUCCEEDED", ended.cause
    return ended.output["x"]


def failure(expression: str, given: Any = DATA) -> Ended:
    ended = run(passing(Parameters={"x.$": expression}), given)
    assert ended.status == "FAILED"
    return ended


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", DATA),
        ("$.a.b", [1, 2, 3]),
        ("$['a']['b'][0]", 1),
        ('$["odd key"]', 1),
        ("$.a.c", None),
        ("$.a.b[-1]", 3),
        ("$.a.b[0,2]", [1, 3]),
        ("$.a.b[0:2]", [1, 2]),
        ("$.list[*].k", [1, 2]),
        ("$.list[?(@.k > 1)]", [{"k": 2}]),
        ("$.list[?(@.k == 9)]", []),
        ("$..k", [1, 2]),
    ],
)
def test_a_path_selects_one_value_or_the_list_of_all_matches(path: str, found: Any):
    assert value(path) == found


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("$.no", "No results for path: $['no']"),
        ("$.no.deeper", "Missing property in path $['no']"),
        ("$.n.deeper", "Expected to find an object with property ['deeper'] in path $['n'] but found 'number'"),
        ("$.a.b[7]", "No results for path: $['a']['b'][7]"),
    ],
)
def test_a_definite_path_to_nothing_fails_the_execution(path: str, reason: str):
    ended = run(passing(InputPath=path), DATA)
    assert (ended.status, ended.error) == ("FAILED", "States.Runtime")
    assert ended.cause is not None
    assert ended.cause.startswith(
        "An error occurred while executing the state 'S' (entered at the event id #2). "
        f"Invalid path '{path}' : {reason}"
    )


def test_the_five_fields_act_in_their_order():
    state = task(
        "echo",
        InputPath="$.a",
        Parameters={"given.$": "$.b", "fixed": {"x": 1}},
        ResultSelector={"first.$": "$.given[0]", "state.$": "$$.State.Name"},
        ResultPath="$.result.deep",
        OutputPath="$.result",
    )
    ended = run(one(state), DATA, functions=FUNCTIONS)
    assert ended.output == {"deep": {"first": 1, "state": "S"}}


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({"InputPath": None}, {}),
        ({"OutputPath": None}, {}),
        ({"ResultPath": None, "Result": 1}, {"a": [1, 2]}),
        ({"ResultPath": "$.b.c", "Result": 1}, {"a": [1, 2], "b": {"c": 1}}),
        ({"ResultPath": "$.a[1]", "Result": {"x": 1}}, {"a": [1, {"x": 1}]}),
        ({"ResultPath": "$['new key']", "Result": 1}, {"a": [1, 2], "new key": 1}),
    ],
)
def test_null_paths_discard_and_result_paths_place(fields: Any, output: Any):
    assert run(passing(**fields), {"a": [1, 2]}).output == output


@pytest.mark.parametrize("path", ["$.a.b", "$.list[2]", "$.list.x"])
def test_a_result_that_cannot_be_placed_fails(path: str):
    ended = run(passing(Result=1, ResultPath=path), {"a": 1, "list": [1, 2]})
    assert ended.error == "States.ResultPathMatchFailure"


def test_the_input_of_a_state_is_never_changed_by_a_later_one():
    given = {"a": {"b": 1}}
    ended = run(passing(Result=2, ResultPath="$.a.b"), given)
    assert (given, ended.output) == ({"a": {"b": 1}}, {"a": {"b": 2}})


def test_the_context_object_tells_execution_state_and_machine():
    ended = run(passing(Parameters={"all.$": "$$", "id.$": "$$.Execution.Id"}), DATA)
    context = ended.output["all"]
    assert set(context) == {"Execution", "StateMachine", "State"}
    assert context["Execution"]["Input"] == DATA
    assert context["Execution"]["Id"] == ended.output["id"] == "arn:aws:states:local:000000000000:execution:machine:run"
    assert context["StateMachine"] == {
        "Id": "arn:aws:states:local:000000000000:stateMachine:machine",
        "Name": "machine",
    }
    assert context["State"]["Name"] == "S"
    for time in (context["Execution"]["StartTime"], context["State"]["EnteredTime"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("States.Format('{} is {}', $.text, $.n)", "hello is 5"),
        (r"States.Format('\{\} it\'s {}', null)", "{} it's null"),
        ("States.StringToJson('{\"a\": [1, null]}')", {"a": [1, None]}),
        ("States.JsonToString($.a)", '{"b":[1,2,3],"c":null}'),
        ("States.Array($.n, 'x', true, null, -1.5)", [5, "x", True, None, -1.5]),
        ("States.ArrayPartition($.a.b, 2)", [[1, 2], [3]]),
        ("States.ArrayContains($.list, $.list[1])", True),
        ("States.ArrayContains($.a.b, '1')", False),
        ("States.ArrayRange(9, 1, -4)", [9, 5, 1]),
        ("States.ArrayGetItem($.a.b, 2)", 3),
        ("States.ArrayLength($.a.b)", 3),
        ("States.ArrayUnique(States.Array(1, 1, '1', $.a, $.a))", [1, "1", DATA["a"]]),
        ("States.Base64Encode('Data to encode')", "RGF0YSB0byBlbmNvZGU="),
        ("States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", "Data to encode"),
        ("States.Hash('hello', 'SHA-1')", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
        ("States.JsonMerge($.a, $.list[0], false)", {"b": [1, 2, 3], "c": None, "k": 1}),
        ("States.MathAdd(111, -1)", 110),
        ("States.StringSplit('1,2+3', ',+')", ["1", "2", "3"]),
        ("States.Format('{}', States.ArrayGetItem(States.StringSplit($.text, 'l'), 0))", "he"),
    ],
)
def test_an_intrinsic_function_gives_what_the_guide_says(expression: str, result: Any):
    assert value(expression) == result


@pytest.mark.parametrize(
    "expression",
    [
        "States.StringToJson($.text)",
        "States.ArrayRange(1, 5, 0)",
        "States.ArrayRange(1, 2000, 1)",
        "States.ArrayGetItem($.a.b, 3)",
        "States.ArrayPartition($.n, 2)",
        "States.Base64Decode('*')",
        "States.Hash($.text, 'SHA-7')",
        "States.JsonMerge($.a, $.a, true)",
        "States.MathAdd($.text, 1)",
        "States.Format('{} {}', 1)",
    ],
)
def test_an_intrinsic_function_that_cannot_answer_fails(expression: str):
    assert failure(expression).error == "States.IntrinsicFailure"


def test_an_intrinsic_failure_can_be_caught():
    state = task(
        "echo",
        Parameters={"x.$": "States.MathAdd($.text, 1)"},
        Catch=[{"ErrorEquals": ["States.IntrinsicFailure"], "Next": "C"}],
    )
    assert run(one(state, C={"Type": "Succeed"}), DATA, functions=FUNCTIONS).status == "SUCCEEDED"


def test_random_numbers_lie_in_their_range_and_a_seed_repeats_them():
    assert {value("States.MathRandom(1, 4)") for _ in range(60)} == {1, 2, 3}
    assert value("States.MathRandom(1, 999, 7)") == value("States.MathRandom(1, 999, 7)")


def test_every_uuid_is_another():
    assert value("States.UUID()") != value("States.UUID()")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_json_survives_the_way_to_a_text_and_back(data: Any):
    assert value("States.StringToJson(States.JsonToString($))", data) == data


@given(st.text(max_size=20))
def test_base64_survives_both_ways(text: str):
    expression = "States.Base64Decode(States.Base64Encode($.t))"
    assert value(expression, {"t": text}) == text
    assert value("States.Base64Encode($.t)", {"t": text}) == base64.b64encode(text.encode()).decode()


@given(st.lists(json_values, max_size=6), st.integers(1, 4))
def test_the_parts_of_an_array_make_up_the_array(items: list[Any], size: int):
    parts = value(f"States.ArrayPartition($.items, {size})", {"items": items})
    assert [item for part in parts for item in part] == items
    assert all(len(part) == size for part in parts[:-1])


# Variables


def test_a_variable_lasts_from_the_next_state_on():
    definition = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Assign": {"x": 1, "y.$": "$.n"}, "Result": {"n": 0}, "Next": "B"},
            "B": {"Type": "Pass", "Assign": {"x.$": "$y", "old.$": "$x"}, "Next": "C"},
            "C": {"Type": "Pass", "Parameters": {"x.$": "$x", "old.$": "$old", "y.$": "$y"}, "End": True},
        },
    }
    ended = run(definition, {"n": 5})
    assert ended.output == {"x": 0, "old": 1, "y": 0}
    assert [details.get("assignedVariables") for details in ended.details("PassStateExited")] == [
        {"x": "1", "y": "0"},
        {"x": "0", "old": "1"},
        None,
    ]


def test_a_task_assigns_from_its_result():
    state = invoke("echo", Assign={"status.$": "$.StatusCode", "payload.$": "$.Payload"}, ResultPath=None, Next="T")
    then = {"Type": "Pass", "Parameters": {"x.$": "$payload.n", "status.$": "$status"}, "End": True}
    assert run(one(state, T=then), {"n": 5}, functions=FUNCTIONS).output == {"x": 5, "status": 200}


def test_a_variable_without_a_value_fails():
    ended = run(passing(Parameters={"x.$": "$missing"}))
    assert ended.error == "States.Runtime"


def test_branches_read_the_variables_around_them_and_keep_their_own():
    inside = {
        "StartAt": "I",
        "States": {
            "I": {"Type": "Pass", "Assign": {"own.$": "$x"}, "Next": "J"},
            "J": {"Type": "Pass", "Parameters": {"x.$": "$x", "own.$": "$own"}, "End": True},
        },
    }
    definition = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "S"},
            "S": {"Type": "Parallel", "Branches": [inside], "ResultPath": "$.inside", "Next": "B"},
            "B": {"Type": "Pass", "Parameters": {"x.$": "$x", "inside.$": "$.inside"}, "End": True},
        },
    }
    assert run(definition).output == {"x": 1, "inside": [{"x": 1, "own": 1}]}


def test_output_text_is_compact_json():
    ended = run(passing(Result={"a": [1, "é", None]}))
    assert ended.details("ExecutionSucceeded")[0]["output"] == '{"a":[1,"é",null]}'
    assert json.loads(ended.details("PassStateExited")[0]["output"]) == ended.output


def test_the_context_object_stays_as_it_was_read():
    definition = {
        "StartAt": "First",
        "States": {
            "First": {"Type": "Pass", "Parameters": {"ctx.$": "$$"}, "Next": "Last"},
            "Last": {"Type": "Pass", "Parameters": {"name.$": "$.ctx.State.Name"}, "End": True},
        },
    }
    assert run(definition).output == {"name": "First"}


@pytest.mark.parametrize(
    ("payload", "got"), [("States.JsonToString($)", {"a": 1}), ("States.Format('no JSON')", "no JSON")]
)
def test_a_payload_that_is_text_is_the_json_of_the_request(payload: str, got: Any):
    parameters = {"FunctionName": FUNCTION + "echo", "Payload.$": payload}
    definition = one({"Type": "Task", "Resource": INVOKE, "Parameters": parameters, "OutputPath": "$.Payload"})
    assert run(definition, {"a": 1}, functions=FUNCTIONS).output == got
