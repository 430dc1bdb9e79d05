"""Capture records: as they are written, and what is read from them."""

import base64
import json
import math
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from scones_core.domain.capture import NotAnInference, image_format, image_of, parse, record

IMAGE = b"\x89PNG\r\n\x1a\n not really"


def document(**more: Any) -> dict[str, Any]:
    return record(
        event_id="e1",
        time=datetime(2025, 10, 4, 8, 44, 11, tzinfo=UTC),
        body=IMAGE,
        content_type="image/png",
        response="[0.82, 0.18]",
        inference_id="i1",
        custom_attributes="s3_key=test/a%20b.png",
        **more,
    )


def test_a_record_is_written_as_sagemaker_writes_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        found = document(model="v2")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found == {
        "captureData": {
            "endpointInput": {
                "observedContentType": "image/png",
                "mode": "INPUT",
                "data": base64.b64encode(IMAGE).decode(),
                "encoding": "BASE64",
            },
            "endpointOutput": {
                "observedContentType": "application/json",
                "mode": "OUTPUT",
                "data": "[0.82, 0.18]",
                "encoding": "JSON",
            },
        },
        "eventMetadata": {
            "eventId": "e1",
            "customAttributes": ["s3_key=test/a%20b.png", "model=v2"],
            "inferenceId": "i1",
            "inferenceTime": "2025-10-04T08:44:11Z",
        },
        "eventVersion": "0",
    }


def capture(**changes: Any) -> str:
    """A line with other fields, named as endpointInput__data; a part alone is replaced."""
    captured = document()
    for path, value in changes.items():
        part, _, field = path.partition("__")
        parent = captured if part == "eventMetadata" else captured["captureData"]
        parent[part] = parent[part] | {field: value} if field else value
    return json.dumps(captured)


@pytest.fixture
def far_from_utc() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/New_York"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def test_what_the_endpoint_writes_is_read_back():
    found = parse(capture())
    assert (found.event_id, found.inference_id, found.image_key) == ("e1", "i1", "test/a b.png")
    assert (found.prediction, found.confidence) == (0, 0.82)
    assert found.time == datetime(2025, 10, 4, 8, 44, 11, tzinfo=UTC)
    assert image_of(capture()) == IMAGE


@pytest.mark.parametrize(
    "output",
    [
        {"data": "0.82,0.18", "encoding": "CSV"},
        {"data": base64.b64encode(b"[0.82, 0.18]").decode(), "encoding": "BASE64"},
        {"data": "[[0.82, 0.18]]", "encoding": "JSON"},
    ],
)
def test_every_encoding_of_the_output_is_read(output):
    found = parse(capture(**{f"endpointOutput__{key}": value for key, value in output.items()}))
    assert found.probabilities == (0.82, 0.18)


def test_records_of_real_endpoints_have_no_inference_id():
    found = parse(capture(eventMetadata={"eventId": "e", "inferenceTime": "2022-07-05T03:01:25Z"}))
    assert (found.inference_id, found.image_key, found.model) == (None, None, None)


def test_a_record_without_ids_and_attributes_has_no_fields_for_them():
    time = datetime(2025, 10, 4, 8, 44, 11, tzinfo=UTC)
    kwargs = {"event_id": "e", "time": time, "body": IMAGE, "content_type": "image/png", "response": "[1, 0]"}
    found = record(**kwargs, inference_id=None, custom_attributes=None)
    assert found["eventMetadata"] == {"eventId": "e", "inferenceTime": "2025-10-04T08:44:11Z"}


@pytest.mark.parametrize(
    ("probabilities", "margin", "entropy"),
    [
        ((0.25, 0.5, 0.25), 0.25, 1.5 * math.log(2)),
        ((1.0, 0.0), 1.0, 0.0),
        ((0.2,) * 5, 0.0, math.log(5)),
    ],
)
def test_an_inference_is_the_less_certain_the_smaller_its_margin_and_the_larger_its_entropy(
    probabilities: tuple[float, ...], margin: float, entropy: float
):
    found = replace(parse(capture()), probabilities=probabilities)
    assert (found.margin, found.entropy) == (pytest.approx(margin), pytest.approx(entropy))


def test_labels_of_the_answer_come_with_the_inference():
    found = parse(capture(endpointOutput__data='{"labels": ["b", "a"], "scores": [0.3, 0.7]}'))
    assert (found.labels, found.probabilities, found.prediction) == (("a", "b"), (0.7, 0.3), 0)
    assert parse(capture()).labels is None


def test_the_model_that_answered_is_written_beside_the_image_and_read_back():
    line = document(model="v3")
    assert line["eventMetadata"]["customAttributes"] == ["s3_key=test/a%20b.png", "model=v3"]
    found = parse(json.dumps(line))
    assert (found.model, found.image_key) == ("v3", "test/a b.png")


@pytest.mark.parametrize(
    ("attributes", "image_key", "model"),
    [
        ("s3_key=a.png", "a.png", None),
        (["trace=1", "model=v3", "s3_key=a.png"], "a.png", "v3"),
        (["s3_key=a=b.png", "s3_key=c.png", "model"], "a=b.png", None),
        (["s3_key=", "model="], None, None),
        ([7, None, {"s3_key": "a.png"}, "s3_key=a.png"], "a.png", None),
        ({"s3_key": "a.png"}, None, None),
        (["s3_key=a%00.png"], None, None),
        (None, None, None),
    ],
)
def test_custom_attributes_are_a_list_or_a_text_and_what_is_not_understood_is_passed_over(
    attributes: Any, image_key: str | None, model: str | None
):
    found = parse(capture(eventMetadata__customAttributes=attributes))
    assert (found.image_key, found.model) == (image_key, model)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "png"),
        (b"\xff\xd8\xff\xe1\x00\x10Exif", "jpeg"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "webp"),
        (b"GIF89a\x01\x00", None),
        (b"LIST\x24\x00\x00\x00WEBPVP8 ", None),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"hello", None),
        (b"", None),
    ],
)
def test_a_picture_is_known_by_its_first_bytes_and_not_by_its_content_type(data: bytes, kind: str | None):
    found = parse(capture(endpointInput__data=base64.b64encode(data).decode()))
    assert found.content_type == "image/png"
    assert (found.image_format, found.is_picture) == (kind, kind is not None)
    assert image_format(data) == kind


@pytest.mark.parametrize(
    "text",
    [
        *("2025-10-04T08:44:11", "2025-10-04T08:44:11Z", "2025-10-04T04:44:11-04:00", "2025-10-04 08:44:11+00:00"),
        "2025-10-04T08:44:11.000000Z",
    ],
)
@pytest.mark.usefixtures("far_from_utc")
def test_a_time_without_a_zone_is_utc_wherever_the_server_stands(text: str):
    found = parse(capture(eventMetadata__inferenceTime=text)).time
    assert found == datetime(2025, 10, 4, 8, 44, 11, tzinfo=UTC)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", "2199-12-31T23:59:59Z"])
def test_the_years_from_1970_to_2199_are_read(text: str):
    assert parse(capture(eventMetadata__inferenceTime=text)).time == datetime.fromisoformat(text)


@pytest.mark.parametrize("year", [1969, 2200])
def test_other_years_are_refused(year: int):
    with pytest.raises(NotAnInference, match=f"in the year {year}"):
        parse(capture(eventMetadata__inferenceTime=f"{year}-06-01T00:00:00Z"))


def test_an_id_has_up_to_64_characters_and_a_content_type_may_be_missing():
    found = parse(capture(eventMetadata__eventId="e" * 64, endpointInput__observedContentType=None))
    assert (found.event_id, found.content_type) == ("e" * 64, "")


def test_a_byte_order_mark_is_no_part_of_the_record():
    assert parse(b"\xef\xbb\xbf" + capture().encode()) == parse("\ufeff" + capture()) == parse(capture())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "the line is not valid JSON"),
        (b"\xff\xfe", "the line is not valid JSON"),
        ('"\ud800"', "the line is not valid JSON"),
        (r'{"captureData": "\ud800"}', "the line is not valid JSON"),
        ("[" * 100_000, "the line is not valid JSON"),
        ('{"a":' * 100_000, "the line is not valid JSON"),
        ("9" * 10_000, "the line is not valid JSON"),
        ("[]", "not a data-capture record: it is not an object"),
        ("null", "not a data-capture record: it is not an object"),
        ('{"captureData": {}}', "no captured input"),
        ('{"captureData": []}', "captureData is not an object"),
        (capture(endpointInput=None), "no captured input"),
        (capture(endpointOutput=None), "no captured output"),
        (capture(endpointInput="text"), "captureData.endpointInput is not an object"),
        (capture(endpointOutput=[]), "captureData.endpointOutput is not an object"),
        (capture(eventMetadata=None), "eventMetadata is not an object"),
        (capture(eventMetadata={}), "eventMetadata.eventId is missing"),
        (capture(eventMetadata__eventId=None), "eventId is not a text"),
        (capture(eventMetadata__eventId={"id": 1}), "eventId is not a text"),
        (capture(eventMetadata__eventId=int("9" * 400)), "eventId is not a text"),
        (capture(eventMetadata__eventId=""), "eventId is empty"),
        (capture(eventMetadata__eventId="e" * 65), "eventId is longer than 64"),
        (capture(eventMetadata__eventId="e\0"), "eventId contains a NUL"),
        (capture(eventMetadata__inferenceId=["i"]), "inferenceId is not a text"),
        (capture(eventMetadata__inferenceId="\0"), "inferenceId contains a NUL"),
        (capture(eventMetadata__inferenceTime=1759567451), "inferenceTime is not a text"),
        (capture(eventMetadata__inferenceTime="yesterday"), "inferenceTime is not a time"),
        (capture(eventMetadata__inferenceTime="0001-01-01T00:00:00+05:00"), "inferenceTime is not a time"),
        (capture(eventMetadata__inferenceTime="9999-12-31T23:00:00-05:00"), "inferenceTime is not a time"),
        (capture(eventMetadata__inferenceTime="0001-01-01T00:00:00Z"), "in the year 1"),
        (capture(eventMetadata__inferenceTime="9999-12-31T23:00:00"), "in the year 9999"),
        (capture(endpointInput__observedContentType={}), "observedContentType is not a text"),
        (capture(endpointInput__encoding="CSV", endpointInput__data="1,2,3"), "not as an image"),
        (capture(endpointInput__data="***"), "the captured input is not valid BASE64"),
        (capture(endpointInput__data="éééé"), "the captured input is not valid BASE64"),
        (capture(endpointInput__data="YQ"), "the captured input is not valid BASE64"),
        (capture(endpointInput__data=7), "endpointInput.data is not a text"),
        (capture(endpointOutput__data="oops"), "not a list of probabilities"),
        (capture(endpointOutput__data="****", endpointOutput__encoding="BASE64"), "output is not valid BASE64"),
        (capture(endpointOutput__data="k05VTVBZ", endpointOutput__encoding="BASE64"), "neither JSON nor CSV"),
        (capture(endpointOutput__data="[0.9, 0.9]"), "add up to 1.8"),
    ],
)
def test_what_is_not_an_inference_says_why(line: str | bytes, why: str):
    with pytest.raises(NotAnInference, match=why):
        parse(line)


def test_an_image_needs_no_more_than_the_input():
    assert image_of(json.dumps({"captureData": {"endpointInput": document()["captureData"]["endpointInput"]}})) == IMAGE
