"""Parsing of data-capture files: inferences, and unreadable lines."""

import codecs
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from scones_core.domain.capture import Inference, NotAnInference, parse
from scones_core.errors import BadInput
from scones_core.services.app import App
from scones_core.services.attribution import Made, Makers, imported
from scones_core.sources.model import check_classes

FOREIGN = "imported"  # placeholder endpoint for capture files imported without one
MOST_BYTES = 500_000_000  # of an unpacked capture file
MOST_PRINTED = 100_000_000  # bytes of a file that is not JSON lines
MOST_REJECTED = 1_000  # unreadable lines of a file listed individually
AT_ONCE = 1 << 20  # bytes
BETWEEN = re.compile(r"[\s,\[\]]*")  # records
PRINTED = re.compile(rb"\s*(\[|\{[ \t\r]*\n)")  # a list, or a record over several lines

Files = Sequence[tuple[str, str]]  # (key, version)


@dataclass(frozen=True)
class Found:
    """Contents of some capture files."""

    files: Files
    rows: Sequence[dict[str, Any]]
    rejected: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class CaptureReader:
    """How to read capture files. endpoint : None for files written by endpoints, whose keys name them."""

    app: App
    makers: Makers
    classes: tuple[str, ...] = ()
    endpoint: str | None = None

    def read(self, files: Files) -> Found:
        rows: list[dict[str, Any]] = []
        rejected: list[dict[str, Any]] = []
        for key, _ in files:
            bad = more = last = 0
            endpoint, variant = self._origin(key)
            for line in _lines(self.app.backend.objects.get(key)):
                try:
                    rows.append(self._row(key, endpoint, variant, line))
                except NotAnInference as reason:
                    bad, more, last = bad + 1, more + (bad >= MOST_REJECTED), line.number
                    if bad <= MOST_REJECTED:
                        rejected.append({"capture_key": key, "capture_line": line.number, "reason": str(reason)})
            if more:
                summary = f"{more:,} more unreadable lines of this file, up to this one"
                rejected.append({"capture_key": key, "capture_line": last, "reason": summary})
        return Found(files, rows, rejected)

    def _row(self, key: str, endpoint: str, variant: str, line: "_Line") -> dict[str, Any]:
        found = parse(line.text)
        if not found.is_picture:  # it could neither be labelled nor trained on
            raise NotAnInference("the captured input is not a PNG, JPEG or WebP image")
        return {
            "event_id": found.event_id,
            "time": found.time,
            "endpoint": endpoint,
            "variant": variant,
            "inference_id": found.inference_id,
            "image_key": found.image_key,
            "image_sha256": found.image_sha256,
            "content_type": found.content_type,
            "probabilities": found.probabilities,
            "prediction": found.prediction,
            "confidence": found.confidence,
            "margin": found.margin,
            "entropy": found.entropy,
            "capture_key": key,
            "capture_line": line.number,
            "capture_start": line.start,
            "capture_end": line.end,
            **self._made(found, endpoint, variant),
        }

    def _origin(self, key: str) -> tuple[str, str]:
        """(endpoint, variant)"""
        parts = key.removeprefix(self.app.backend.endpoints.capture_prefix).split("/")
        if self.endpoint is None and len(parts) > 2:
            return parts[0], parts[1]
        return self.endpoint or FOREIGN, ""

    def _made(self, found: Inference, endpoint: str, variant: str) -> Made:
        count, labels = len(found.probabilities), found.labels
        if labels:
            try:
                check_classes(labels)
            except BadInput:
                raise NotAnInference("the output's labels are not valid class names") from None
        if variant:
            return self.makers.of(endpoint, variant, found.time, found.model, count, labels)
        if self.classes and len(self.classes) != count:
            raise NotAnInference(f"it has {count} probabilities, but {len(self.classes)} class names were given")
        if labels and self.classes and set(labels) != set(self.classes):
            raise NotAnInference("the output's labels differ from the given class names")
        return imported(labels or self.classes)


def as_lines(data: bytes) -> bytes:
    """An imported capture file as JSON lines: decompressed, and reformatted to one record per line.

    Raises BadInput for a truncated file, or one that decompresses to more than the limit.
    """
    if data.startswith(b"\x1f\x8b"):
        data = _unpacked(data)
    data = data.removeprefix(codecs.BOM_UTF8)
    if PRINTED.match(data):
        if len(data) > MOST_PRINTED:
            limit = MOST_PRINTED // 1_000_000
            raise BadInput(f"A capture file of more than {limit} MB is not in JSON lines: write one record per line.")
        try:
            return b"".join(json.dumps(record).encode() + b"\n" for record in _records(data.decode()))
        except (ValueError, RecursionError):
            return data  # each line is then reported on its own
    return data


def _records(text: str) -> Iterator[Any]:
    """JSON values, concatenated or as a list. Raises ValueError, RecursionError."""
    decoder, at = json.JSONDecoder(), 0
    while (at := BETWEEN.match(text, at).end()) < len(text):  # type: ignore[union-attr]
        record, at = decoder.raw_decode(text, at)
        yield record


def _unpacked(data: bytes) -> bytes:
    """All members of a gzip file."""
    found = bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while part := file.read(AT_ONCE):
                found += part
                if len(found) > MOST_BYTES:
                    limit = MOST_BYTES // 1_000_000
                    raise BadInput(f"A compressed capture file exceeds {limit} MB: decompress and split it.")
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"A compressed capture file is damaged or truncated ({error}): compress it again.") from None
    return bytes(found)


class _Line(NamedTuple):
    number: int  # from 0
    start: int  # bytes
    end: int
    text: bytes


def _lines(data: bytes) -> Iterator[_Line]:
    number, start = 0, 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        text = data[start:end]
        if text and not text.isspace():
            yield _Line(number, start, end, text)
        number, start = number + 1, end + 1
