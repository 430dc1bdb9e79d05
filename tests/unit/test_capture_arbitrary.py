"""Whatever a capture line holds, it is an inference or refused."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scones_core.domain.capture import Inference, NotAnInference, image_of, parse
from tests.unit.test_capture import capture, document

PARTS = ("endpointInput", "endpointOutput", "eventMetadata")


def outcome(read: Callable[[str | bytes], Inference | bytes], line: str | bytes) -> Inference | bytes | str:
    """What was read, or why nothing was."""
    try:
        return read(line)
    except NotAnInference as reason:
        return str(reason)


def read_or_refused(line: str | bytes) -> None:
    """Nothing but a sound inference, or a reason, comes out."""
    found, image = outcome(parse, line), outcome(image_of, line)
    assert found.isprintable() if isinstance(found, str) else is_sound(found)
    assert isinstance(image, bytes) or image.isprintable()


def is_sound(found: Inference) -> bool:
    texts = [found.event_id, found.inference_id, found.image_key, found.content_type, found.model]
    assert all("\0" not in text and text.encode() is not None for text in texts if text is not None)
    return 0 <= found.margin <= found.confidence <= 1 and found.entropy >= 0 and found.time.tzinfo is UTC


TEXTS = st.text(max_size=20) | st.sampled_from(
    ["\0", "é", "\U0001f6b2", "BASE64", "CSV", "[1e400,1]", "W10=", "[" * 999]
)
TIMES = st.datetimes(timezones=st.none() | st.timezones()).map(datetime.isoformat)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers().map(lambda n: n * 10**400) | st.floats() | TEXTS | TIMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300)
@given(st.binary() | st.binary().map(lambda data: capture().encode()[:200] + data))
def test_any_bytes_are_an_inference_or_refused(line: bytes):
    read_or_refused(line)


@given(st.text(st.characters(codec=None)))
def test_any_text_with_surrogates_is_an_inference_or_refused(line: str):
    read_or_refused(line)


@settings(max_examples=300)
@given(VALUES)
def test_any_json_is_an_inference_or_refused(value: Any):
    read_or_refused(json.dumps(value))


@settings(max_examples=500)
@given(st.sampled_from(PARTS), st.data(), VALUES)
def test_a_record_with_anything_in_the_place_of_a_field_is_an_inference_or_refused(
    part: str, data: st.DataObject, value: Any
):
    captured = document(model="v3")
    fields = captured["eventMetadata"] if part == "eventMetadata" else captured["captureData"][part]
    read_or_refused(capture(**{f"{part}__{data.draw(st.sampled_from(sorted(fields)))}": value}))


@settings(max_examples=300)
@given(st.integers(0, 600), st.integers(0, 255))
def test_a_record_with_a_damaged_byte_is_an_inference_or_refused(place: int, byte: int):
    line = bytearray(capture().encode())
    line[place % len(line)] = byte
    read_or_refused(bytes(line))


@given(st.integers(0, 600))
def test_a_record_that_was_cut_off_is_refused(length: int):
    line = capture().encode()
    with pytest.raises(NotAnInference):
        parse(line[: length % len(line)])
