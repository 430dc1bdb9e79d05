"""Choice: every comparison operator, and how rules are combined."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.asl.machines import one
from tests.unit.asl.world import run

Y, N = {"Type": "Pass", "Result": True, "End": True}, {"Type": "Pass", "Result": False, "End": True}
EARLY, LATE = "2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00"  # the same moment
LATER = "2020-01-01T00:00:00.5Z"


def holds(rule: Mapping[str, Any], given: Any) -> bool:
    ended = run(one({"Type": "Choice", "Choices": [{**rule, "Next": "Y"}], "Default": "N"}, Y=Y, N=N), given)
    assert ended.status == "SUCCEEDED", ended.cause
    return bool(ended.output)


COMPARISONS: list[tuple[str, Any, list[Any], list[Any]]] = [
    ("StringEquals", "b", ["b"], ["B", "", 1, None]),
    ("StringLessThan", "b", ["a", "B"], ["b", "ba", 0]),
    ("StringLessThanEquals", "b", ["a", "b"], ["ba"]),
    ("StringGreaterThan", "b", ["ba", "c"], ["b", "a"]),
    ("StringGreaterThanEquals", "b", ["b", "c"], ["a"]),
    ("StringMatches", "log-*.txt", ["log-.txt", "log-1.txt", "log-a.b.txt"], ["log.txt", "log-1.txt.gz", 1]),
    ("StringMatches", "a*b*c", ["abc", "axbxc"], ["acb"]),
    ("StringMatches", "\\*", ["*"], ["a", "\\*"]),
    ("StringMatches", "a.c", ["a.c"], ["abc"]),
    ("NumericEquals", 1, [1, 1.0], [2, "1", True, None]),
    ("NumericLessThan", 1.5, [1, -3], [1.5, 2]),
    ("NumericLessThanEquals", 1.5, [1.5], [1.6]),
    ("NumericGreaterThan", 1, [1.1], [1, "2"]),
    ("NumericGreaterThanEquals", 1, [1], [0.9]),
    ("BooleanEquals", True, [True], [False, 1, "true"]),
    ("TimestampEquals", EARLY, [EARLY, LATE], [LATER, "2020", 1]),
    ("TimestampLessThan", LATER, [EARLY, LATE], [LATER]),
    ("TimestampLessThanEquals", EARLY, [LATE], [LATER]),
    ("TimestampGreaterThan", EARLY, [LATER], [LATE]),
    ("TimestampGreaterThanEquals", EARLY, [LATE, LATER], ["2019-12-31T23:59:59Z"]),
    ("IsNull", True, [None], [0, "", False]),
    ("IsNull", False, [0], [None]),
    ("IsNumeric", True, [0, 1.5], ["1", True]),
    ("IsString", True, ["", "a"], [1, None]),
    ("IsBoolean", True, [True, False], [0, "true"]),
    ("IsTimestamp", True, [EARLY, LATE, LATER], ["2020-01-01", "2020-01-01t00:00:00z", 1]),
]


@pytest.mark.parametrize(("operator", "operand", "accepted", "refused"), COMPARISONS)
def test_a_comparison_holds_for_values_of_its_type_only(
    operator: str, operand: Any, accepted: list[Any], refused: list[Any]
):
    rule = {"Variable": "$.v", operator: operand}
    assert [value for value in accepted if not holds(rule, {"v": value})] == []
    assert [value for value in refused if holds(rule, {"v": value})] == []


@pytest.mark.parametrize("operator", [c[0] for c in COMPARISONS if not c[0].startswith(("Is", "StringMatches"))])
def test_a_comparison_can_take_its_operand_from_a_path(operator: str):
    operand, accepted, refused = next((o, a, r) for name, o, a, r in COMPARISONS if name == operator)
    rule = {"Variable": "$.v", operator + "Path": "$.deep.w"}
    assert holds(rule, {"v": accepted[0], "deep": {"w": operand}})
    assert not holds(rule, {"v": refused[0], "deep": {"w": operand}})


def test_presence_can_be_asked_for():
    assert holds({"Variable": "$.v", "IsPresent": True}, {"v": None})
    assert not holds({"Variable": "$.v", "IsPresent": True}, {})
    assert holds({"Variable": "$.v", "IsPresent": False}, {})


@pytest.mark.parametrize("operator", ["NumericEquals", "IsNumeric"])
def test_any_other_question_about_what_is_missing_fails_the_execution(operator: str):
    rule = {"Variable": "$.v", operator: True if operator == "IsNumeric" else 1, "Next": "Y"}
    ended = run(one({"Type": "Choice", "Choices": [rule], "Default": "Y"}, Y=Y), {})
    assert (ended.status, ended.error) == ("FAILED", "States.Runtime")
    assert "Invalid path '$.v'" in str(ended.cause)


def test_rules_combine_and_the_left_part_decides_first():
    small, large = {"Variable": "$.v", "NumericLessThan": 0}, {"Variable": "$.v", "NumericGreaterThan": 9}
    assert [v for v in (-1, 5, 10) if holds({"Or": [small, large]}, {"v": v})] == [-1, 10]
    assert [v for v in (-1, 5, 10) if holds({"Not": {"Or": [small, large]}}, {"v": v})] == [5]
    assert [v for v in (-1, 5, 10) if holds({"And": [{"Not": small}, {"Not": large}]}, {"v": v})] == [5]
    guarded = {"And": [{"Variable": "$.v", "IsPresent": True}, {"Variable": "$.v", "NumericEquals": 1}]}
    assert not holds(guarded, {})


def test_the_first_rule_that_holds_decides_and_the_input_passes_on():
    rules = [{"Variable": "$.v", "NumericGreaterThan": n, "Next": f"P{n}"} for n in (9, 5, 0)]
    ends = {f"P{n}": {"Type": "Pass", "Result": n, "ResultPath": "$.from", "End": True} for n in (9, 5, 0)}
    assert run(one({"Type": "Choice", "Choices": rules}, **ends), {"v": 7}).output == {"v": 7, "from": 5}


def test_no_rule_and_no_default_fail_with_no_choice_matched():
    rule = {"Variable": "$.v", "NumericEquals": 1, "Next": "Y"}
    ended = run(one({"Type": "Choice", "Choices": [rule]}, Y=Y), {"v": 2})
    assert ended.error == "States.NoChoiceMatched"
    assert ended.types == ["ExecutionStarted", "ChoiceStateEntered", "ExecutionFailed"]


def test_a_rule_assigns_its_own_variables_and_the_default_those_of_the_state():
    choices = [{"Variable": "$.v", "NumericEquals": 1, "Assign": {"way": "rule"}, "Next": "P"}]
    then = {"Type": "Pass", "Parameters": {"way.$": "$way"}, "End": True}
    definition = one({"Type": "Choice", "Choices": choices, "Default": "P", "Assign": {"way": "default"}}, P=then)
    assert [run(definition, {"v": v}).output["way"] for v in (1, 2)] == ["rule", "default"]


def test_a_rule_can_compare_variables():
    choices = [{"Variable": "$n", "NumericEqualsPath": "$.v", "Next": "Y"}]
    definition = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Assign": {"n": 3}, "Next": "S"},
            "S": {"Type": "Choice", "Choices": choices, "Default": "N"},
            "Y": Y,
            "N": N,
        },
    }
    assert [run(definition, {"v": v}).output for v in (3, 4)] == [True, False]
