"""JSONata as the reference 2.0.6 has it, where the library alone would differ, and the functions of Step Functions."""

from typing import Any

import pytest

from scones_core.local.queries import jsonata_

OBJECT = {"text": "abc", "none": None, "list": [3, None, 1], "pairs": [{"k": 2, "v": "a"}, {"k": 1, "v": "b"}]}


def value(expression: str) -> Any:
    return jsonata_.value_of(expression, {"x": OBJECT})


def reason(expression: str) -> str:
    with pytest.raises(ValueError, match=".") as raised:
        value(expression)
    return str(raised.value)


@pytest.mark.parametrize("expression", ["$x.a ?? 1", "$x.a ?: 1"])
def test_operators_of_later_versions_are_not_known(expression: str):
    assert reason(expression).startswith("S0211: The symbol ")


def test_the_question_mark_alone_is_known():
    assert value("$x.none ? 1 : 2") == 2


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("$string(1e20)", "100000000000000000000"),
        ("$string(1e21)", "1e+21"),
        ("$string(1e-7)", "1e-7"),
        ("$string(1e-6)", "0.000001"),
        ("$string(22/7)", "3.14285714285714"),
        ("$string({'a': 1.5e20, 'é': [null, 'x']})", '{"a":150000000000000000000,"é":[null,"x"]}'),
        ("$string({'a': [1]}, true)", '{\n  "a": [\n    1\n  ]\n}'),
        ("10.5 % 3", 1.5),
        ("1 in [true]", False),
        (r"$length('\ud83d\ude00')", 1),
        ("$map([1e20, 1], $string)", ["100000000000000000000", "1"]),
        ("$map([2, 4], $max)", [2, 4]),
        ("$sort([11, 1, 20, 10], function($a, $b) { $a % 10 > $b % 10 })", [20, 10, 11, 1]),
        ("$sort([2, 1], function($a, $b) { 'yes' })", [1, 2]),
        ("$count(null)", 1),
        ("$distinct([1, 1])", [1]),
        ("$toMillis('2018-02-01T09:42:13.123+0100')", 1517474533123),
        ("$replace('abc', /(b)/, '[$1$$]')", "a[b$]c"),
        (r"$match('a_1é', /[\w]+/).match", "a_1"),
        ("$split('a1b2c', /[0-9]/, 1)", ["a"]),
        ("$contains('ÄB', /äb/i)", True),
        ("('xab' ~> /a/).start", 1),
    ],
)
def test_values_are_those_of_the_reference(expression: str, result: Any):
    assert value(expression) == result


def test_a_function_may_be_a_matcher():
    matcher = "function($s) { {'match': 'b', 'start': 1, 'end': 2, 'groups': [], 'next': function() { $none }} }"
    assert value(f"$replace($x.text, {matcher}, 'x')") == "axc"
    assert value(f"$match($x.text, {matcher})") == {"match": "b", "index": 1, "groups": []}
    assert value(f"$split($x.text, {matcher})") == ["a", "c"]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("$abs('x')", 'T0410: Argument 1 of function "abs" does not match function signature'),
        ("$length(null)", 'T0410: Argument 1 of function "length" does not match function signature'),
        ("$single([2], 5)", 'T0410: Argument 2 of function "single" does not match function signature'),
        ("($f := $sum; $sum(['a']))", 'T0412: Argument 1 of function "sum" must be an array of "numbers"'),
        ("1 + 'a'", 'T2002: The right side of the "+" operator must evaluate to a number'),
        ("1 < 'a'", 'T2009: The values 1 and "a" either side of operator "<" must be of the same data type'),
        ("-'a'", 'D1002: Cannot negate a non-numeric value: "a"'),
        ("$sqrt(-1)", "D3060: The sqrt function cannot be applied to a negative number: -1"),
        ("$number('+5')", 'D3030: Unable to cast value to a number: "+5"'),
        ("$replace('abc', /x*/, '-')", "D1004: Regular expression matches zero length string"),
        ("$error('mine')", "D3137: mine"),
        ("1 / 0", "D1001: Number out of range: null"),
        (
            "$toMillis('2018-02-01 09:42')",
            "D3110: The argument of the toMillis function must be an ISO 8601 formatted timestamp. Given "
            '"2018-02-01 09:42"',
        ),
    ],
)
def test_errors_are_worded_as_in_the_reference(expression: str, message: str):
    assert reason(expression) == message


def test_calls_in_a_loop_are_not_calls_within_each_other():
    """A tail call within constructors; the library's own count of the depth grows with each."""
    loop = "($f := function($n) { $n = 0 ? 'done' : ($q := [[1], [$n]]; $f($n - 1)) }; $f(500))"
    assert value(loop) == "done"


# Functions of Step Functions: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("$range(2, 5, 9)", 2),
        ("$range(-1.7, 2, 1)", [-1, 0, 1, 2]),
        ("$range(5, 1, -1.5)", [5, 4, 3, 2, 1]),
        ("$exists($range(5, 1, 1))", False),
        ("$exists($range(1, 5, 0))", False),
        ("$partition([1, 2, 3])", [[1, 2, 3]]),
        ("$partition([1, 2, 3], 2.9)", [[1, 2], [3]]),
        ("$exists($partition([], 2))", False),
        ("$exists($hash('a'))", False),
        ("$random(42)", 0.7275636800328681),
        ("$exists($parse())", False),
        ("$exists($parse('null'))", True),
        ("$parse('[9223372036854775807, 1.0, null]')", [9223372036854775807, 1, None]),
        ("$map(['{\"a\": 1}', '{\"a\": 2}'], $parse).a", [1, 2]),
    ],
)
def test_functions_of_step_functions(expression: str, result: Any):
    assert value(expression) == result


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ('$parse(\'{"a": 1, "a": 2}\')', "D3137: Invalid JSON"),
        ("$parse('1e400')", "D3137: Invalid JSON"),
        ("$parse('')", "D3137: Invalid JSON"),
        ("$parse(null)", 'T0410: Argument 1 of function "parse" does not match function signature'),
        ("$uuid('seed')", 'T0410: Argument 1 of function "uuid" does not match function signature'),
        ("$range(1)", 'T0410: Argument 2 of function "range" does not match function signature'),
        ("$partition([1], -1)", "D3137: Second argument must be zero or greater"),
        (
            "$hash('a', 'md5')",
            "D3137: Hash algorithm 'md5' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5",
        ),
    ],
)
def test_errors_of_the_functions_of_step_functions(expression: str, message: str):
    assert reason(expression) == message


@pytest.mark.parametrize(
    ("expression", "what"),
    [("$x.missing", "returned nothing (undefined)."), ("$sum", "returned an unsupported result type.")],
)
def test_what_is_no_json_is_told_apart_from_null(expression: str, what: str):
    with pytest.raises(jsonata_.NoValue) as raised:
        value(expression)
    assert str(raised.value) == what
    assert value("$x.none") is None
