import base64
import json
from datetime import UTC, datetime

import pytest

from scones_core.domain.capture import NotAnInference, image_of, parse, record

IMAGE = b"\x89PNG not really"


def capture(**changes):
    document = record(
        event_id="e1",
        time=datetime(2025, 10, 4, 8, 44, 11, tzinfo=UTC),
        body=IMAGE,
        content_type="image/png",
        response="[0.82, 0.18]",
        inference_id="i1",
        custom_attributes="s3_key=test/a%20b.png",
    )
    for path, value in changes.items():
        side, _, field = path.partition("__")
        document["captureData"][side][field] = value
    return json.dumps(document)


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
    document = json.loads(capture())
    document["eventMetadata"] = {"eventId": "e", "inferenceTime": "2022-07-05T03:01:25Z"}
    assert parse(json.dumps(document)).inference_id is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not a data-capture record"),
        ("[]", "not a data-capture record"),
        ('{"captureData": {}}', "not a data-capture record"),
        (capture(endpointInput__encoding="CSV", endpointInput__data="1,2,3"), "CSV data, not an image"),
        (capture(endpointInput__data="***"), "not valid BASE64"),
        (capture(endpointOutput__data="oops"), "not a list of probabilities"),
        (capture(endpointOutput__data="[0.5]"), "two or more probabilities"),
        (capture(endpointOutput__data="[NaN, 1]"), "two or more probabilities"),
        (capture(endpointOutput__data="[4, 1]"), "two or more probabilities"),
    ],
)
def test_what_is_not_an_inference_says_why(line, why):
    with pytest.raises(NotAnInference, match=why):
        parse(line)
