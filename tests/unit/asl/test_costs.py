"""Whatever a state machine contains, one evaluation costs little time and memory, and holds up nobody."""

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scones_core.local.queries import jsonata_, jsonpath_
from scones_core.local.queries.costs import is_cheap_expression, is_cheap_path
from scones_core.local.queries.pool import Pool, Process
from scones_core.local.workflow.asl.comparisons import matches, wildcard
from scones_core.local.workflow.asl.fields import Fields
from scones_core.local.workflow.asl.jsontext import MAX_DEPTH
from scones_core.ports import ExecutionStatus
from tests.unit.asl.home import Home, ended
from tests.unit.asl.machines import END, one, passing
from tests.unit.asl.world import POOL, Ended, run

REGEX = "/^(a+)+$/"
TEXT = "a" * 60 + "!"


def jsonata(expression: str, given: Any = None) -> Ended:
    return run({"QueryLanguage": "JSONata", **passing(Output=f"{{% {expression} %}}")}, given)


# Wildcards


def choice(pattern: str, value: str) -> Ended:
    rule = {"Variable": "$", "StringMatches": pattern, "Next": "Y"}
    return run(one({"Type": "Choice", "Choices": [rule], "Default": "N"}, Y=END, N=END), value)


def test_many_asterisks_take_no_time():
    assert "S" in choice("*a" * 14 + "*b", "a" * 200_000).details("ChoiceStateExited")[0]["name"]


@given(st.text("ab*", max_size=8), st.text("ab\n", max_size=12))
def test_asterisks_stand_for_what_a_regular_expression_says(pattern: str, value: str):
    parts = wildcard(pattern, Fields({}, "rule"))
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), value, re.DOTALL)
    assert matches(parts, value) == bool(expected)


# JSONata


@pytest.mark.parametrize(
    "expression",
    [
        f"$match($states.input, {REGEX})",
        f"$replace($states.input, {REGEX}, 'x')",
        f"$states.input ~> {REGEX}",
        "$range(1, 3e7, 1)",
        "$pad('x', 5e8)",
        "$pad('x', 3e6)",
        "[1..9999999]",
        "$map([1..1000], function($v) { $map([1..1000], function($w) { $map([1..1000], function($x) { 1 }) }) })",
        "$reduce([1..60], function($all, $v) { $all & $all }, 'xx')",
        "($f := function($n) { $f($n + 1) }; $f(1))",
        "($f := function($n) { 1 + $f($n + 1) }; $f(1))",
        "$join($map([1..1000000], $string))",
        "$power(10, 1e9)",
        "$partition([1..1000000], 1)",
    ],
)
def test_a_costly_jsonata_expression_fails_its_state_with_the_cause(expression: str):
    execution = jsonata(expression, TEXT)
    assert (execution.status, execution.error) == ("FAILED", "States.QueryEvaluationError")
    assert "threw an error during evaluation. " in str(execution.cause)
    assert execution.types[-2:] == ["EvaluationFailed", "ExecutionFailed"]


@pytest.mark.parametrize(
    ("expression", "said"), [(f"$match('{TEXT}', {REGEX})", "more than 1 s"), ("$pad('x', 5e8)", "more than 256 MB")]
)
def test_the_cause_names_the_limit(expression: str, said: str):
    assert said in str(jsonata(expression).cause)


def test_after_a_costly_expression_the_next_ones_are_evaluated():
    assert jsonata("$pad('x', 5e8)").status == "FAILED"
    assert jsonata("$map([1, 2], function($v) { $v * 2 })").output == [2, 4]


def test_many_values_that_are_not_too_large_alone_are_so_together():
    fields = {f"f{number}": "{% $pad('x', 900000) %}" for number in range(12)}
    execution = run({"QueryLanguage": "JSONata", **passing(Output=fields)})
    assert "together have more than" in str(execution.cause)


# JSONPath


@pytest.mark.parametrize(
    "path",
    [
        f"$[?(@ =~ {REGEX})]",
        "$..*..*..*..*..*..*..*",
        "$[?(@..[?(@..[?(@..[?(@..a)])])])]",
        "$" + "[0,0,0,0,0,0,0,0,0,0,0,0]" * 12,
    ],
)
def test_a_costly_jsonpath_fails_its_state_with_the_cause(path: str):
    deep: Any = TEXT
    for _ in range(60):
        deep = [deep, [1, 2, TEXT]]
    execution = run(passing(InputPath=path), [deep, TEXT])
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert f"The JSONPath '{path}' could not be evaluated" in str(execution.cause)


def test_a_filter_without_costs_is_evaluated():
    assert run(passing(InputPath="$.list[?(@.k == 2)].n"), {"list": [{"k": 2, "n": 3}, {"k": 1}]}).output == [3]


# Intrinsic functions and templates

LARGE = ["x" * 1_000] * 200


@pytest.mark.parametrize(
    "function",
    [
        "States.ArrayRange(1, 100000000, 1)",
        "States.ArrayRange(0, 1000000000000000000000000000000, 1)",
        "States.MathAdd($.huge, 1)",
        f"States.Format('{'{}' * 500}'{', $.large' * 500})",
        f"States.JsonToString(States.Array({', '.join(['$'] * 500)}))",
        f"States.ArrayLength(States.Array({', '.join(['$'] * 500)}))",
    ],
)
def test_a_costly_intrinsic_function_fails_its_state_with_the_cause(function: str):
    execution = run(passing(Parameters={"x.$": function}), {"large": LARGE, "huge": 10**400})
    assert (execution.status, execution.error) == ("FAILED", "States.IntrinsicFailure")
    assert "had the following error" in str(execution.cause)


@pytest.mark.parametrize(
    ("function", "given", "result"),
    [
        ("States.ArrayLength(States.ArrayUnique($))", list(range(40_000)), 40_000),
        (
            "States.ArrayUnique($)",
            [1, True, 1.0, "1", [1], [True], {"a": 1}, {"a": 1.0}],
            [1, True, "1", [1], [True], {"a": 1}],
        ),
        ("States.ArrayLength(States.StringSplit($, States.Format('{}', $)))", "ab" * 100_000, 0),
        ("States.StringSplit($, ']-^[')", "a-b]c^d", ["a", "b", "c", "d"]),
    ],
)  # fmt: skip
def test_intrinsic_functions_take_time_in_proportion_to_the_data(function: str, given: Any, result: Any):
    assert run(passing(Parameters={"x.$": function}), given).output == {"x": result}


@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
def test_a_template_that_repeats_its_input_is_too_large(language: str):
    many = {f"f{number}": "{% $states.input %}" for number in range(200)}
    paths = {f"f{number}.$": "$" for number in range(2_000)}
    state = passing(Output=many) if language == "JSONata" else passing(Parameters=paths)
    assert run({"QueryLanguage": language, **state}, LARGE).error == "States.DataLimitExceeded"


def test_data_that_grows_deeper_with_every_round_ends_the_execution():
    rule = {"Variable": "$.end", "IsPresent": True, "Next": "E"}
    states = {
        "S": {"Type": "Pass", "Parameters": {"a.$": "$"}, "Next": "C"},
        "C": {"Type": "Choice", "Choices": [rule], "Default": "S"},
        "E": {"Type": "Succeed"},
    }
    execution = run({"StartAt": "S", "States": states})
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert f"more than {MAX_DEPTH} levels" in str(execution.cause)


# Which expressions are evaluated in place


@pytest.mark.parametrize(
    ("expression", "cheap"),
    [
        ("$merge([{'max_items': 100000000, 'results_prefix': 'batch-results'}, $states.input])", True),
        ("$states.input.a[-1].b", True),
        ("$x > 3 and $states.result.ok ? 'yes' : {'n': $count($states.input.list)}", True),
        ("'a' & $states.input.b & 'c'", True),
        ("$states.input.a[b > 3]", False),
        ("$states.input.a.{'b': c}", False),
        ("[1..$n]", False),
        ("$string($x)", False),
        ("$x ~> /a+/", False),
        ("($x := 1; $x)", False),
        ("function($x) { 1 }", False),
        (" & ".join(["$x"] * 20), False),
        ("[" + ", ".join(["$x"] * 50) + "]", False),
    ],
)
def test_only_plainly_cheap_jsonata_is_evaluated_in_place(expression: str, cheap: bool):
    assert is_cheap_expression(jsonata_.compiled(expression).ast) is cheap


@pytest.mark.parametrize(
    ("path", "cheap"),
    [("$.a[*].b", True), ("$[1:3][-1]", True), ("$..a", False), ("$[0, 1]", False), ("$[?(@.a == 1)]", False)],
)
def test_only_plainly_cheap_jsonpath_is_evaluated_in_place(path: str, cheap: bool):
    assert is_cheap_path(jsonpath_.compiled(path)) is cheap


# Others meanwhile


def test_a_costly_expression_holds_up_no_other_execution(home: Home):
    service = home.open()
    service.put("costly", {"QueryLanguage": "JSONata", **passing(Output=f"{{% $match('{TEXT}', {REGEX}) %}}")})
    service.start("costly", "slow", {})
    service.start("pass", "quick", {"a": 1})
    quick, slow = ended(service, "quick"), ended(service, "slow")
    assert (quick.status, slow.error) == (ExecutionStatus.SUCCEEDED, "States.QueryEvaluationError")
    assert quick.stopped is not None
    assert slow.stopped is not None
    assert quick.stopped < slow.stopped


def test_a_stop_does_not_wait_for_costly_expressions(home: Home):
    service = home.open()
    fields = {f"f{number}": f"{{% $match('{TEXT}', {REGEX}) %}}" for number in range(2)}
    service.put("costly", {"QueryLanguage": "JSONata", **passing(Output=fields)})
    service.start("costly", "slow", {})
    service.stop("slow")
    assert ended(service, "slow").status is ExecutionStatus.ABORTED


def test_the_process_of_the_evaluations_knows_no_secrets(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    pool = Pool(1)
    assert pool.evaluate("JSONata", "1 + 1", {}) == 2
    (process,) = [pool._free.get()]
    assert process is not None
    assert b"secret" not in Path(f"/proc/{process._process.pid}/environ").read_bytes()
    process.end()


def test_the_system_itself_ends_an_evaluation_that_takes_too_long():
    process = Process()
    request = {"language": "JSONata", "text": f"$match('{TEXT}', {REGEX})", "data": {}}
    assert process.ask(json.dumps(request).encode()) == {"limit": "time"}
    assert process._process.returncode == -signal.SIGPROF


def test_a_process_that_was_killed_is_replaced():
    assert POOL.evaluate("JSONata", "[1..3]", {}) == [1, 2, 3]
    process = POOL._free.get()
    assert process is not None
    process._process.kill()
    process._process.wait()
    POOL._free.put(process)
    assert POOL.evaluate("JSONata", "[1..3]", {}) == [1, 2, 3]
