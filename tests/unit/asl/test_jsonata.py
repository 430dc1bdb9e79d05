"""JSONata: expressions, `$states`, variables, the functions of Step Functions, and how failures are told."""

from typing import Any

import pytest

from tests.unit.asl.machines import CATCH_ALL, END, FUNCTION, FUNCTIONS, INVOKE, one
from tests.unit.asl.world import Ended, run


def machine(state: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", **one(state, **others)}


def output(expression: Any, given: Any = None) -> Any:
    ended = run(machine({"Type": "Pass", "Output": expression}), given)
    assert ended.status == "SUCCEEDED", ended.cause
    return ended.output


def failure(state: dict[str, Any], given: Any = None) -> Ended:
    ended = run(machine(state), given, functions=FUNCTIONS)
    assert (ended.status, ended.error) == ("FAILED", "States.QueryEvaluationError")
    return ended


GIVEN = {"a": [1, 2, 3], "people": [{"name": "Ann", "age": 41}, {"name": "Bob", "age": 29}], "none": None}


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("{% $states.input %}", GIVEN),
        ("{% $sum($states.input.a) %}", 6),
        ("{% $states.input.people[age > 30].name %}", "Ann"),
        ("{% [$states.input.people.age] %}", [41, 29]),
        ("{% $states.input.people^(age).name %}", ["Bob", "Ann"]),
        ("{% $map($states.input.a, function($v, $i) { $v * $i }) %}", [0, 2, 6]),
        ("{% $states.input.none %}", None),
        ("{% {'n': $count($states.input.a), 'ok': true} %}", {"n": 3, "ok": True}),
        ("{% 'a' & 1 & null %}", "a1null"),
        ("{% $string(1.50) %}", "1.5"),
        ("{% 7 / 2 %}", 3.5),
        ("{% 6 / 2 %}", 3),
        (
            {"x": ["{% 1 %}", {"y": "{% $states.input.a[-1] %}"}], "z": "a {% 1 %} b"},
            {"x": [1, {"y": 3}], "z": "a {% 1 %} b"},
        ),
        ("{% $states.context.State.Name %}", "S"),
        ("{% $merge([{'a': 1}, {'b': 2}]) %}", {"a": 1, "b": 2}),
    ],
)
def test_an_expression_gives_what_jsonata_says(expression: Any, result: Any):
    assert output(expression, GIVEN) == result


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("{% $partition([1, 2, 3], 2) %}", [[1, 2], [3]]),
        ("{% $range(1, 7, 3) %}", [1, 4, 7]),
        ("{% $hash('hello', 'MD5') %}", "5d41402abc4b2a76b9719d911017c592"),
        ("{% $parse('{\"a\": [1]}') %}", {"a": [1]}),
        ("{% $random(42) = $random(42) %}", True),
        ("{% $length($uuid()) %}", 36),
    ],
)
def test_step_functions_adds_functions_of_its_own(expression: str, result: Any):
    assert output(expression) == result


def test_the_time_of_one_evaluation_is_its_own():
    """The library keeps the time in the last expression that was compiled, and counts its time limit from then."""
    definition = machine(
        {"Type": "Pass", "Assign": {"first": "{% $millis() %}"}, "Next": "W"},
        W={"Type": "Wait", "Seconds": 1, "Next": "T"},
        T={"Type": "Pass", "Output": "{% $millis() >= $first and $now() > '2020' %}", "End": True},
    )
    assert run(definition).output is True


# Failures


@pytest.mark.parametrize(
    ("fields", "location", "reason"),
    [
        ({"Output": "{% $states.input.no %}"}, "Output", "returned nothing (undefined)"),
        ({"Output": {"a": ["{% $missing %}"]}}, "Output/a[0]", "returned nothing (undefined)"),
        ({"Output": "{% 1 + 'a' %}"}, "Output", "threw an error during evaluation. T2002"),
        ({"Assign": {"x": "{% $error('mine') %}"}}, "Assign/x", "mine"),
    ],
)
def test_a_failed_evaluation_is_recorded_with_its_place(fields: Any, location: str, reason: str):
    ended = failure({"Type": "Pass", **fields}, {})
    assert ended.types == ["ExecutionStarted", "PassStateEntered", "EvaluationFailed", "ExecutionFailed"]
    (details,) = ended.details("EvaluationFailed")
    assert (details["location"], details["state"]) == (location, "S")
    assert reason in details["cause"]
    assert ended.cause == details["cause"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"Type": "Wait", "Seconds": "{% 'a' %}"}, "integer"),
        ({"Type": "Wait", "Timestamp": "{% 1 %}"}, "string"),
        ({"Type": "Fail", "Error": "{% 1 %}"}, "string"),
        ({"Type": "Choice", "Choices": [{"Condition": "{% 1 %}", "Next": "S"}], "Default": "S"}, "boolean"),
        (
            {"Type": "Map", "Items": "{% 1 %}", "ItemProcessor": {"StartAt": "I", "States": {"I": END}}},
            "array",
        ),
    ],
)
def test_a_value_of_another_type_than_the_field_takes_fails(state: Any, expected: str):
    if state["Type"] == "Choice":
        state = {**state, "Choices": [{**state["Choices"][0], "Next": "E"}], "Default": "E"}
        ended = run(machine(state, E=END), {})
    else:
        ended = run(machine(state), {})
    assert ended.error == "States.QueryEvaluationError"
    assert f"Expected '{expected}'" in str(ended.cause)


def test_a_failed_evaluation_can_be_caught():
    state = {
        "Type": "Task",
        "Resource": INVOKE,
        "Arguments": {"FunctionName": FUNCTION + "echo", "Payload": "{% $states.input.no %}"},
        "Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "C"}],
    }
    ended = run(machine(state, C=END), {}, functions=FUNCTIONS)
    assert ended.output["Error"] == "States.QueryEvaluationError"


# States


def test_a_task_takes_arguments_and_sees_its_result():
    state = {
        "Type": "Task",
        "Resource": INVOKE,
        "Arguments": {"FunctionName": FUNCTION + "double", "Payload": "{% $states.input.n %}"},
        "Output": {"n": "{% $states.input.n %}", "double": "{% $states.result.Payload %}"},
    }
    assert run(machine(state), {"n": 4}, functions=FUNCTIONS).output == {"n": 4, "double": 8}


def test_without_output_the_result_passes_on():
    state = {"Type": "Task", "Resource": FUNCTION + "double", "Arguments": "{% $states.input.n %}"}
    assert run(machine(state), {"n": 4}, functions=FUNCTIONS).output == 8


def test_a_catcher_sees_the_error_output():
    catch = [
        {
            "ErrorEquals": ["States.ALL"],
            "Output": "{% $states.errorOutput.Error %}",
            "Assign": {"kept": "{% $states.input.n %}"},
            "Next": "C",
        }
    ]
    state = {"Type": "Task", "Resource": FUNCTION + "refuse", "Catch": catch}
    then = {"Type": "Pass", "Output": "{% [$states.input, $kept] %}", "End": True}
    assert run(machine(state, C=then), {"n": 4}, functions=FUNCTIONS).output == ["Refused", 4]


def test_a_choice_follows_the_first_condition_that_is_true():
    choices = [
        {"Condition": "{% $states.input > 9 %}", "Output": "large", "Next": "C"},
        {"Condition": "{% $states.input > 0 %}", "Assign": {"x": "{% $states.input %}"}, "Next": "D"},
    ]
    state = {"Type": "Choice", "Choices": choices, "Output": "small", "Default": "C"}
    then = {"Type": "Pass", "Output": "{% $x * 2 %}", "End": True}
    definition = machine(state, C=END, D=then)
    assert [run(definition, n).output for n in (10, 5, -1)] == ["large", 10, "small"]


def test_a_map_takes_items_and_selects_them():
    state = {
        "Type": "Map",
        "Items": "{% $states.input.a %}",
        "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}", "i": "{% $states.context.Map.Item.Index %}"},
        "MaxConcurrency": "{% 1 %}",
        "ItemProcessor": {
            "StartAt": "I",
            "States": {"I": {"Type": "Pass", "Output": "{% $states.input.v * 10 %}", "End": True}},
        },
        "Output": "{% $sum($states.result) %}",
    }
    assert run(machine(state), {"a": [1, 2]}).output == 30


def test_a_parallel_passes_its_arguments_to_every_branch():
    branches = [{"StartAt": name, "States": {name: END}} for name in ("A", "B")]
    state = {"Type": "Parallel", "Arguments": {"n": "{% $states.input.n + 1 %}"}, "Branches": branches}
    assert run(machine(state), {"n": 1}).output == [{"n": 2}, {"n": 2}]


def test_a_fail_state_words_its_error():
    ended = run(machine({"Type": "Fail", "Error": "{% 'E' & 1 %}", "Cause": "{% $states.input.why %}"}), {"why": "so"})
    assert (ended.error, ended.cause) == ("E1", "so")


def test_variables_are_read_as_they_were_when_the_state_was_entered():
    definition = machine(
        {"Type": "Pass", "Assign": {"x": 3, "a": 6}, "Next": "T"},
        T={"Type": "Pass", "Assign": {"x": "{% $a %}", "next": "{% $x %}"}, "Output": "{% $x %}", "Next": "U"},
        U={"Type": "Pass", "Output": "{% [$states.input, $x, $next] %}", "End": True},
    )
    assert run(definition).output == [3, 6, 3]


def test_states_of_both_languages_share_variables():
    definition = one(
        {"Type": "Pass", "Assign": {"x.$": "$.n"}, "Next": "T"},
        T={"Type": "Pass", "QueryLanguage": "JSONata", "Assign": {"y": "{% $x * 2 %}"}, "Next": "U"},
        U={"Type": "Pass", "Parameters": {"y.$": "$y"}, "End": True},
    )
    assert run(definition, {"n": 2}).output == {"y": 4}


def test_everything_but_a_jsonata_failure_is_caught_as_ever():
    state = {"Type": "Task", "Resource": FUNCTION + "refuse", "Catch": CATCH_ALL}
    assert run(machine(state, C=END), {}, functions=FUNCTIONS).output["Error"] == "Refused"


# Null


def test_a_variable_that_is_null_is_null_and_not_nothing():
    definition = machine(
        {"Type": "Pass", "Assign": {"label": "{% $states.input.label %}"}, "Next": "T"},
        T={"Type": "Pass", "Output": "{% $label %}", "End": True},
    )
    ended = run(definition, {"label": None})
    assert (ended.status, ended.output) == ("SUCCEEDED", None)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("$states.input.a[0] = null", True),
        ("$states.input.label = null", True),
        ("$count($filter($states.input.a, function($v) { $v = null }))", 2),
        ("$map($states.input.a, function($v) { $v })", [None, 1, None]),
        ("$reduce($states.input.a, function($all, $v) { $all + ($v = null ? 1 : 0) }, 0)", 2),
    ],
)
def test_null_in_the_data_is_equal_to_null(expression: str, result: Any):
    assert output("{% " + expression + " %}", {"label": None, "a": [None, 1, None]}) == result


def test_the_items_of_a_map_are_an_array():
    iterator = {"StartAt": "I", "States": {"I": END}}
    state = {"Type": "Map", "ItemProcessor": iterator}
    ended = failure(state, 5)
    assert str(ended.cause).endswith("Map state input must be an array but was: 5")
    [details] = ended.details("EvaluationFailed")
    assert "location" not in details  # as no field is wrong
    given = failure({**state, "Items": "{% function($x) { $x } %}"})
    assert str(given.cause).endswith("specified for the field 'Items' returned an unsupported result type.")
