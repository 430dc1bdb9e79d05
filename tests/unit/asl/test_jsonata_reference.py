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
        ("10.5% 3", 1.5),
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
        ("$number('007.50')", 7.5),
        ("1 = 2 ? 1 / 0 : 'not looked at'", "not looked at"),
        ("($x := 1 / 0; 3)", 3),
        (r"$map(['a b c', 'd e f'], $match(?, /\w \w/)).match", ["a b", "d e"]),
        ("$map([255, 16], $formatBase(?, 16))", ["ff", "10"]),
        ("$map([1, 2], $power(?, 2))", [1, 4]),
        ("$decodeUrl('a%2Fb%20%c3%a9')", "a%2Fb é"),
        ("$decodeUrlComponent('a%2Fb%20%c3%a9')", "a/b é"),
        ("$formatInteger(1e46, 'w')", "ten billion trillion trillion trillion"),
        ("$power(2, 0.5)", 1.4142135623730951),
        ("$power(2, 70)", 1180591620717411303424.0),
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
        ("1 / 0 + 1", "D1001: Number out of range: null"),
        ("$string({'a': 1 / 0})", "D1001: Number out of range: null"),
        ("$string(1 / 0)", "D3001: Attempting to invoke string function on Infinity or NaN"),
        (
            "$power(-8, 1 / 3)",
            "D3061: The power function has resulted in a value that cannot be represented as a JSON number: "
            "base=-8, exponent=0.333333333333333",
        ),
        ("$decodeUrl('%E0%A4%A')", 'D3140: Malformed URL passed to $decodeUrl(): "%E0%A4%A"'),
        ("$decodeUrlComponent('100%')", 'D3140: Malformed URL passed to $decodeUrlComponent(): "100%"'),
        (r"$encodeUrl('\ud800')", 'D3140: Malformed URL passed to $encodeUrl(): "\ud800"'),
        (
            "$formatInteger(5, 'α')",
            'D3130: Formatting or parsing an integer as a sequence starting with "α" is not supported by this '
            "implementation",
        ),
        (
            "$formatInteger(5, '0０')",
            "D3131: In a decimal digit pattern, all digits must be from the same decimal group",
        ),
        ("$toMillis('2018', '[q]')", 'D3132: Unknown component specifier "q" in date/time picture string'),
        (
            "$fromMillis(0, '[YN]')",
            "D3133: The 'name' modifier can only be applied to months and days in the date/time picture string, "
            'not "Y"',
        ),
        ("$fromMillis(0, '[Y')", "D3135: No matching closing bracket ']' in date/time picture string"),
        (
            "$toMillis('7 30', '[M] [m]')",
            "D3136: The date/time picture string is missing specifiers required to parse the timestamp",
        ),
        (
            "$toMillis('2018-02-01 09:42')",
            "D3110: The argument of the toMillis function must be an ISO 8601 formatted timestamp. Given "
            '"2018-02-01 09:42"',
        ),
    ],
)
def test_errors_are_worded_as_in_the_reference(expression: str, message: str):
    assert reason(expression) == message


@pytest.mark.parametrize(
    "expression",
    ["$x", "[$x]", "{'a': $x}", "$x + 1.5", "-$x", "$x / 3", "$x % 7.5", "$x > 1.5", "$sum([$x, 1.5])", "$string($x)"]
    + [f"${name}($x)" for name in ("floor", "sqrt", "round", "formatBase")]
    + ["$round($x, 1)", "$formatBase($x, 2)", "$formatNumber($x, '0')", "$power($x, 2)", "[1..$x]", "$x & 'a'"],
)
def test_numbers_beyond_those_of_json_are_out_of_range(expression: str):
    with pytest.raises(ValueError, match="out of range"):
        jsonata_.value_of(expression, {"x": 10**400})


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("1 /* never closed", "S0106"),
        ("/*", "S0106"),
        (r"'\y'", "S0103"),
        ("'\\", "S0103"),
        ("[1!2]", "S0204"),
        ("function($a)<n<n>>{$a}(1)", "S0401"),
        ("function($a)<(sa<n>)>{$a}(1)", "S0402"),
        ("substring(?, 0)", "T1007"),
    ],
)
def test_syntax_errors_have_the_codes_of_the_reference(expression: str, code: str):
    assert reason(expression)[:6] == f"{code}:"


@pytest.mark.parametrize(
    ("number", "picture", "text"),
    [
        ("12345.6", "#,###.00", "12,345.60"),
        ("1234567", "#,##,##0", "12,34,567"),
        ("1234567", "0,00,000", "12,34,567"),
        ("12345678", "##,##,000", "123,45,678"),
        ("0.5", "#.##", ".5"),
        ("0", "#.##", ".0"),
        ("2.5", "0", "2"),
        ("0.125", "0.00", "0.12"),
        ("0.14", "01%", "14%"),
        ("0.123", "#.e9", "0.1e0"),
        ("1234.5678", "00.000e0", "12.346e2"),
        ("-6", "000", "-006"),
        ("-6", "0;(0)", "(6)"),
        ("34.5", "€0.00 a", "€34.50 a"),
        ("0", "0.0e0", "0.0e0"),
        ("-1234.5", "0.0e0", "-1.2e3"),
    ],
)
def test_numbers_are_formatted_as_their_picture_says(number: str, picture: str, text: str):
    assert value(f"$formatNumber({number}, '{picture}')") == text


def test_the_characters_of_a_picture_can_be_chosen():
    options = "{'zero-digit': '\u0660', 'decimal-separator': ',', 'grouping-separator': '.'}"
    assert value(f"$formatNumber(1234.5, '\u0660.\u0660\u0660\u0660,\u0660', {options})") == "١.٢٣٤,٥"


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        ("0;0;0", "D3080"),
        ("0.0.0", "D3081"),
        ("0%%", "D3082"),
        ("0‰‰", "D3083"),
        ("0%‰", "D3084"),
        (".e0", "D3085"),
        ("x", "D3085"),
        ("0+.e0", "D3086"),
        ("0,.0", "D3087"),
        ("0,", "D3088"),
        ("0,,0", "D3089"),
        ("0#.0", "D3090"),
        ("0.#0", "D3091"),
        ("0e0%", "D3092"),
        ("#0.0e0,0", "D3093"),
    ],
)
def test_pictures_that_are_none_are_refused_with_their_code(picture: str, code: str):
    assert reason(f"$formatNumber(20, '{picture}')")[:6] == f"{code}:"


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
