"""JSON from outside, as it is shown."""

import json
from typing import Any

import pytest

from scones_core.domain.json_text import MAX_DEPTH, value_of
from scones_core.domain.state_run import message_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, "x", null]}', {"a": [1, "x", None]}),
        ("[NaN, Infinity, -Infinity]", ["NaN", "Infinity", "-Infinity"]),
        ('{"a": "b', '{"a": "b'),
        ("plain", "plain"),
        (r'["\ud800x", {"\uDC00": "\ud83d\ude00"}]', ["\ufffdx", {"\ufffd": "\U0001f600"}]),
        (r'["\uD800", 1]', ["\ufffd", 1]),
        (r'"\u00e9\u0000"', "é\0"),
        (None, None),
        ({"a": 1}, {"a": 1}),
    ],
)
def test_text_becomes_a_value_that_can_be_shown(text: Any, value: Any):
    assert value_of(text) == value


@pytest.mark.parametrize("beside", ["", "[],{}," * MAX_DEPTH])
def test_what_lies_too_deep_stays_text_and_what_is_only_long_does_not(beside: str):
    for depth, read in ((MAX_DEPTH, True), (MAX_DEPTH + 1, False)):
        text = "[" + beside + '{"a":' * (depth - 1) + "1" + "}" * (depth - 1) + "]"
        assert value_of(text) == (json.loads(text) if read else text)


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ('{"errorMessage": "too low", "errorType": "E"}', "too low"),
        ('{"errorMessage": 3}', "3"),
        ('{"reason": "x"}', '{"reason": "x"}'),
        ('["errorMessage"]', '["errorMessage"]'),
        *(("why", "why"), ("", ""), (None, "")),
    ],
)
def test_the_message_of_a_cause_is_the_functions_error_message(cause: str | None, message: str):
    assert message_of(cause) == message
