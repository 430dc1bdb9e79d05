"""Records in the usual form are decoded faster, and read exactly as every other record is."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scones_core.domain import answers
from scones_core.domain import capture as domain
from scones_core.domain.capture import NotAnInference, parse
from tests.unit.test_capture import capture, document
from tests.unit.test_capture_arbitrary import PARTS, VALUES


def outcome(line: str | bytes) -> Any:
    try:
        return parse(line)
    except NotAnInference as reason:
        return str(reason)


def by_the_models_alone(line: str | bytes) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(domain, "usual_record", lambda _line: None)
        patch.setattr(answers, "_NUMBERS", answers.msgspec.json.Decoder(dict[str, list[float]]))
        return outcome(line)


def test_what_endpoints_write_is_in_the_usual_form():
    for line in (capture(), capture(eventMetadata__customAttributes=None), json.dumps(document(model="v3"))):
        assert domain.usual_record(line) is not None


@settings(max_examples=500)
@given(st.sampled_from(PARTS), st.data(), VALUES)
def test_anything_in_the_place_of_a_field_is_read_the_same(part: str, data: st.DataObject, value: Any):
    captured = document(model="v3")
    fields = captured["eventMetadata"] if part == "eventMetadata" else captured["captureData"][part]
    line = capture(**{f"{part}__{data.draw(st.sampled_from(sorted(fields)))}": value})
    assert outcome(line) == by_the_models_alone(line)


@settings(max_examples=500)
@given(st.integers(0, 700), st.binary(max_size=3), st.integers(0, 3))
@example(350, b"\\u0", 0)
def test_a_record_with_changed_bytes_is_read_the_same(place: int, put: bytes, removed: int):
    line = capture().encode()
    changed = line[:place] + put + line[place + removed :]
    assert outcome(changed) == by_the_models_alone(changed)


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udc00", "\\ud83d\\ude00", "\\ud800\\u0041", "é", "\x01"])
@pytest.mark.parametrize("field", ["eventId", "inferenceId", "inferenceTime"])
def test_texts_that_are_hard_to_decode_are_read_the_same(field: str, text: str):
    line = capture(**{f"eventMetadata__{field}": "HERE"}).replace("HERE", text)
    for form in (line, line.encode("utf-8", "surrogatepass")):
        assert outcome(form) == by_the_models_alone(form)


@pytest.mark.parametrize(
    "data", ["", "YQ", "YQ=", "YQ==", "YR==", "YQ==YQ==", "Y Q==", "-_-_", "====", "YQ==\\n", "éé"]
)
def test_base64_is_read_the_same(data: str):
    line = capture(endpointInput__data="HERE").replace("HERE", data)
    assert outcome(line) == by_the_models_alone(line)


@given(st.lists(st.floats(0, 1) | st.integers(-1, 2) | st.just("0.5") | st.just(True), max_size=4))
@example([0.1 + 0.2, 0.7])
@example([1e-320, 1.0])
def test_probabilities_are_the_same_to_the_last_digit(numbers: list[Any]):
    line = capture(endpointOutput__data=json.dumps(numbers))
    assert outcome(line) == by_the_models_alone(line)
