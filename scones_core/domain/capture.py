"""Data-capture records, as SageMaker writes them.

Source: "Data capture" in the SageMaker developer guide, and files of real endpoints.
"""

import base64
import binascii
import hashlib
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Inference:
    """One captured inference. probabilities: one per class, each in [0, 1]; time is UTC."""

    event_id: str
    time: datetime
    image_sha256: str
    content_type: str
    probabilities: tuple[float, ...]
    inference_id: str | None = None
    image_key: str | None = None
    model: str | None = None
    labels: tuple[str, ...] | None = None

    @property
    def prediction(self) -> int:
        """Class index of the largest probability; the first of equals."""
        return self.probabilities.index(self.confidence)

    @property
    def confidence(self) -> float:
        """The largest probability."""
        return max(self.probabilities)

    @property
    def margin(self) -> float:
        """Largest minus second largest probability."""
        first, second = sorted(self.probabilities, reverse=True)[:2]
        return first - second

    @property
    def entropy(self) -> float:
        """Shannon entropy in nats, 0 to log(number of classes)."""
        return -sum(p * math.log(p) for p in self.probabilities if p > 0)


class NotAnInference(ValueError):
    """A capture record that cannot be read as an inference; the text says why."""


def record(
    *,
    event_id: str,
    time: datetime,
    body: bytes,
    content_type: str,
    response: str,
    inference_id: str | None,
    custom_attributes: str | None,
    model: str | None = None,
) -> dict[str, Any]:
    """One data-capture record. `response` is the endpoint's JSON text."""
    metadata: dict[str, Any] = {"eventId": event_id}
    attributes = [custom_attributes, model and f"model={model}"]
    if any(attributes):
        metadata["customAttributes"] = [attribute for attribute in attributes if attribute]
    if inference_id:
        metadata["inferenceId"] = inference_id
    metadata["inferenceTime"] = time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    data = base64.b64encode(body).decode()
    return {
        "captureData": {
            "endpointInput": {
                "observedContentType": content_type,
                "mode": "INPUT",
                "data": data,
                "encoding": "BASE64",
            },
            "endpointOutput": {
                "observedContentType": "application/json",
                "mode": "OUTPUT",
                "data": response,
                "encoding": "JSON",
            },
        },
        "eventMetadata": metadata,
        "eventVersion": "0",
    }


def parse(line: str | bytes) -> Inference:
    """Read one line of a capture file. Raises NotAnInference."""
    try:
        document = json.loads(line)
        captured, metadata = document["captureData"], document["eventMetadata"]
        given, returned = captured["endpointInput"], captured["endpointOutput"]
        event_id = str(metadata["eventId"])
        time = datetime.fromisoformat(metadata["inferenceTime"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError) as error:
        raise NotAnInference(f"not a data-capture record ({type(error).__name__}: {error})") from None
    return Inference(
        event_id=event_id,
        time=time,
        image_sha256=hashlib.sha256(_image_bytes(given)).hexdigest(),
        content_type=str(given.get("observedContentType", "")),
        probabilities=_probabilities(returned),
        inference_id=metadata.get("inferenceId"),
        image_key=_attribute(metadata.get("customAttributes"), "s3_key"),
        model=_attribute(metadata.get("customAttributes"), "model"),
    )


def image_of(line: str | bytes) -> bytes:
    """The image bytes of one capture record. Raises NotAnInference."""
    try:
        return _image_bytes(json.loads(line)["captureData"]["endpointInput"])
    except (ValueError, KeyError, TypeError):
        raise NotAnInference("not a data-capture record") from None


def _decoded(side: dict[str, Any]) -> bytes:
    try:
        if side.get("encoding") == "BASE64":
            return base64.b64decode(side["data"], validate=True)
        return str(side["data"]).encode()
    except (KeyError, TypeError, binascii.Error):
        raise NotAnInference("the captured data is not valid BASE64") from None


def _image_bytes(side: dict[str, Any]) -> bytes:
    if side.get("encoding") != "BASE64":
        raise NotAnInference(f"the input is {side.get('encoding')} data, not an image")
    return _decoded(side)


def _probabilities(side: dict[str, Any]) -> tuple[float, ...]:
    text = _decoded(side).decode("utf-8", "replace").strip()
    try:
        values = json.loads(text if text.startswith("[") else f"[{text}]")
        values = values[0] if len(values) == 1 and isinstance(values[0], list) else values
        numbers = tuple(float(value) for value in values)
    except (ValueError, TypeError):
        raise NotAnInference("the output is not a list of probabilities") from None
    if len(numbers) < 2 or not all(0 <= number <= 1 for number in numbers):
        raise NotAnInference("the output is not a list of two or more probabilities")
    return numbers


def _attribute(attributes: Any, name: str) -> str | None:
    values = attributes if isinstance(attributes, list) else [attributes]
    for value in values:
        if isinstance(value, str) and value.startswith(f"{name}="):
            return unquote(value.removeprefix(f"{name}="))
    return None
