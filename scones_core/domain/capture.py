"""Data-capture records, as SageMaker writes them.

Source: "Data capture" in the SageMaker developer guide, and files of real endpoints.
"""

import base64
import codecs
import hashlib
import math
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, unquote

import msgspec
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from scones_core.domain.answers import Answer, NotAnInference, read_answer
from scones_core.domain.usual_capture import UsualOutput, UsualRecord, usual_record

__all__ = ["Inference", "NotAnInference", "image_format", "image_of", "parse", "record"]

YEARS = range(1970, 2200)  # of a clock that goes wrong, too; what lies beyond no calendar of the product can hold


class Inference(msgspec.Struct, frozen=True):  # made three times as fast as a dataclass: ingest makes one a record
    """One captured inference.

    time: UTC.  probabilities: one per class, each in [0, 1].  labels: class names in the same order, if the
    endpoint returned them.  image_format: png, jpeg or webp, by the first bytes; None if the input is not an image.
    image_key: the object that was sent.  model: the model version.  Both only if the capture contains them.
    """

    event_id: str
    time: datetime
    image_sha256: str
    content_type: str
    probabilities: tuple[float, ...]
    inference_id: str | None = None
    image_key: str | None = None
    labels: tuple[str, ...] | None = None
    image_format: str | None = None
    model: str | None = None

    @property
    def is_picture(self) -> bool:
        """Whether the input starts like an image, whatever its content type."""
        return self.image_format is not None

    @property
    def prediction(self) -> int:
        """Class index of the largest probability; the first on ties."""
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
        found = 0.0
        for p in self.probabilities:
            if p > 0:
                found -= p * math.log(p)
        return found


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
    """One data-capture record. `response` is the endpoint's JSON text; `model` the model version."""
    metadata: dict[str, Any] = {"eventId": event_id}
    attributes = [*filter(None, [custom_attributes]), *([f"model={quote(model)}"] if model else [])]
    if attributes:
        metadata["customAttributes"] = attributes
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


Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]  # PostgreSQL stores no NUL
Id = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", min_length=1, max_length=64)]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class _Side(_Part):
    data: str
    encoding: str = ""
    observed_content_type: Text | None = None


class _Input(_Part):
    endpoint_input: _Side


class _InputAndOutput(_Input):
    endpoint_output: _Side


class _Metadata(_Part):
    event_id: Id
    inference_time: str
    inference_id: Text | None = None
    custom_attributes: Any = None  # whatever a caller sent along; what is not understood is passed over


class _Captured(_Part):
    capture_data: _Input


class _Record(_Part):
    capture_data: _InputAndOutput
    event_metadata: _Metadata


M = TypeVar("M", bound=_Part)


def parse(line: str | bytes) -> Inference:
    """Parse one line of a capture file; a time without a zone is UTC. Raises only NotAnInference."""
    usual = usual_record(line)
    if usual is not None:
        return _inference(usual, usual.capture_data.endpoint_input.data)
    found = _validated(_Record, line)
    return _inference(found, _image_bytes(found.capture_data.endpoint_input))


def _inference(found: UsualRecord | _Record, image: bytes) -> Inference:
    given, metadata = found.capture_data.endpoint_input, found.event_metadata
    answer = _answer(found.capture_data.endpoint_output)
    attributes = _attributes(metadata.custom_attributes)
    return Inference(
        event_id=metadata.event_id,
        time=_utc(metadata.inference_time),
        image_sha256=hashlib.sha256(image).hexdigest(),
        content_type=given.observed_content_type or "",
        probabilities=answer.probabilities,
        inference_id=metadata.inference_id,
        image_key=_decoded_value(attributes.get("s3_key")),
        labels=answer.labels,
        image_format=image_format(image),
        model=_decoded_value(attributes.get("model")),
    )


def image_of(line: str | bytes) -> bytes:
    """The image bytes of one capture record. Raises only NotAnInference."""
    return _image_bytes(_validated(_Captured, line).capture_data.endpoint_input)


def image_format(data: bytes) -> str | None:
    """png, jpeg or webp, by the first bytes; None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    return "webp" if data.startswith(b"RIFF") and data[8:12] == b"WEBP" else None


def _validated(model: type[M], line: str | bytes) -> M:
    try:
        return model.model_validate_json(_without_mark(line))
    except ValidationError as error:
        raise NotAnInference(_reason(error)) from None


def _without_mark(line: str | bytes) -> str | bytes:
    """Strip the byte order mark that Windows editors add."""
    return line.removeprefix(codecs.BOM_UTF8) if isinstance(line, bytes) else line.removeprefix("\ufeff")


_NOTHING = {"endpointInput": "it has no captured input", "endpointOutput": "it has no captured output"}
_WRONG = {
    "missing": "is missing",
    "model_type": "is not an object",
    "string_type": "is not a text",
    "string_too_short": "is empty",
    "string_too_long": "is longer than 64 characters",
    "string_pattern_mismatch": "contains a NUL character",
}


def _reason(error: ValidationError) -> str:
    """Reason for the first validation error. Quotes nothing from the record, which may contain anything."""
    first = error.errors(include_url=False)[0]
    where = [str(name) for name in first["loc"]]
    if first["type"] in ("json_invalid", "string_unicode"):
        return "not a data-capture record: the line is not valid JSON"
    if where[-1:] and where[-1] in _NOTHING and (first["type"] == "missing" or first["input"] is None):
        return _NOTHING[where[-1]]
    return f"not a data-capture record: {'.'.join(where) or 'it'} {_WRONG.get(first['type'], 'is invalid')}"


def _utc(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the latter: years 1 and 9999 with a zone
        raise NotAnInference("its inferenceTime is not a time") from None
    if time.year not in YEARS:
        raise NotAnInference(f"its inferenceTime is in the year {time.year}")
    return time


def _decoded(side: _Side | UsualOutput, what: str) -> bytes:
    try:
        return base64.b64decode(side.data, validate=True)
    except ValueError:  # binascii.Error, and what it raises on other characters than ASCII's
        raise NotAnInference(f"the captured {what} is not valid BASE64") from None


def _image_bytes(given: _Side) -> bytes:
    if given.encoding.upper() != "BASE64":
        raise NotAnInference("the input was captured as text or JSON, not as an image")
    return _decoded(given, "input")


def _answer(returned: _Side | UsualOutput) -> Answer:
    if returned.encoding.upper() != "BASE64":
        return read_answer(returned.data)
    try:
        return read_answer(_decoded(returned, "output").decode())
    except UnicodeDecodeError:
        raise NotAnInference("the output is neither JSON nor CSV") from None


def _attributes(attributes: Any) -> dict[str, str]:
    """Name → value of each `name=value`; the first counts."""
    texts = attributes if isinstance(attributes, list) else [attributes]
    pairs = [text.partition("=") for text in reversed(texts) if isinstance(text, str)]
    return {name: value for name, equals, value in pairs if equals}


def _decoded_value(value: str | None) -> str | None:
    """Percent-decoded; None for what no database stores."""
    found = unquote(value) if value else None
    return found if found and "\0" not in found else None
