"""What lies in data-capture files: inferences, and lines that are none."""

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

FOREIGN = "imported"  # stands for the endpoint of capture files that users brought without saying whose they are
MOST_BYTES = 500_000_000  # of an unpacked capture file
MOST_PRINTED = 100_000_000  # bytes of one that is not in JSON lines
MOST_REJECTED = 1_000  # lines of a file whose reasons are kept one by one
AT_ONCE = 1 << 20  # bytes
BETWEEN = re.compile(r"[\s,\[\]]*")  # records
PRINTED = re.compile(rb"\s*(\[|\{[ \t\r]*\n)")  # a list, or a record over several lines
NOT_EMPTY = re.compile(rb"[^\n]+")

Files = Sequence[tuple[str, str]]  # (key, version)


@dataclass(frozen=True)
class Found:
    """What some capture files hold."""

    files: Files
    rows: Sequence[dict[str, Any]]
    rejected: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class CaptureReader:
    """How capture files are read. endpoint : None for what the endpoints themselves wrote, whose keys name them."""

    app: App
    makers: Makers
    classes: tuple[str, ...] = ()
    endpoint: str | None = None

    def read(self, files: Files) -> Found:
        rows: list[dict[str, Any]] = []
        rejected: list[dict[str, Any]] = []
        for key, _ in files:
            bad = more = last = 0
            for line in _lines(self.app.backend.objects.get(key)):
                try:
                    rows.append(self._row(key, line))
                except NotAnInference as reason:
                    bad, more, last = bad + 1, more + (bad >= MOST_REJECTED), line.number
                    if bad <= MOST_REJECTED:
                        rejected.append({"capture_key": key, "capture_line": line.number, "reason": str(reason)})
            if more:
                summary = f"{more:,} more lines of the file, up to this one, cannot be read either"
                rejected.append({"capture_key": key, "capture_line": last, "reason": summary})
        return Found(files, rows, rejected)

    def _row(self, key: str, line: "_Line") -> dict[str, Any]:
        found = parse(line.text)
        if not found.is_picture:  # nobody could label it, and no model learn from it
            raise NotAnInference("the captured input is no PNG, JPEG or WebP picture")
        endpoint, variant = self._origin(key)
        return {
            "event_id": found.event_id,
            "time": found.time,
            "endpoint": endpoint,
            "variant": variant,
            "inference_id": found.inference_id,
            "image_key": found.image_key,
            "image_sha256": found.image_sha256,
            "content_type": found.content_type,
            "probabilities": list(found.probabilities),
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
                raise NotAnInference("the output's labels cannot be names of classes") from None
        if variant:
            return self.makers.of(endpoint, variant, found.time, found.model, count, labels)
        if self.classes and len(self.classes) != count:
            raise NotAnInference(f"it has {count} probabilities, and {len(self.classes)} class names were given")
        if labels and self.classes and set(labels) != set(self.classes):
            raise NotAnInference("the output's labels are other names than the class names that were given")
        return imported(labels or self.classes)


def as_lines(data: bytes) -> bytes:
    """A capture file from elsewhere as JSON lines: unpacked, and one record a line where it was printed otherwise.

    Raises BadInput for what is cut short, or unpacks to more than any capture file has.
    """
    if data.startswith(b"\x1f\x8b"):
        data = _unpacked(data)
    data = data.removeprefix(codecs.BOM_UTF8)
    if PRINTED.match(data):
        if len(data) > MOST_PRINTED:
            limit = MOST_PRINTED // 1_000_000
            raise BadInput(f"A capture file of more than {limit} MB is not in JSON lines: write one record a line.")
        try:
            return b"".join(json.dumps(record).encode() + b"\n" for record in _records(data.decode()))
        except (ValueError, RecursionError):
            return data  # each line says for itself what is wrong with it
    return data


def _records(text: str) -> Iterator[Any]:
    """JSON values, one after another or as a list. Raises ValueError, RecursionError."""
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
                    raise BadInput(f"A compressed capture file has more than {limit} MB: unpack and split it.")
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"A compressed capture file is damaged or cut short ({error}): compress it anew.") from None
    return bytes(found)


class _Line(NamedTuple):
    number: int  # from 0
    start: int  # bytes
    end: int
    text: bytes


def _lines(data: bytes) -> Iterator[_Line]:
    number = end = 0
    for found in NOT_EMPTY.finditer(data):
        number += data.count(b"\n", end, found.start())
        end = found.end()
        if not found[0].isspace():
            yield _Line(number, found.start(), end, found[0])
