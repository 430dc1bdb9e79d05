"""What lies in data-capture files: inferences, and lines that are none."""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from scones_core.domain.capture import Inference, NotAnInference, parse
from scones_core.errors import BadInput
from scones_core.services.app import App
from scones_core.services.attribution import Made, Makers, imported

FOREIGN = "imported"  # stands for the endpoint of capture files that users brought without saying whose they are
MOST_BYTES = 1_000_000_000  # of an unpacked capture file

Files = Sequence[tuple[str, str]]  # (key, version)


@dataclass(frozen=True)
class Found:
    """What some capture files hold."""

    files: Files
    rows: Sequence[dict[str, Any]]
    rejected: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Reading:
    """How capture files are read. endpoint : None for what the endpoints themselves wrote, whose keys name them."""

    app: App
    makers: Makers
    classes: tuple[str, ...] = ()
    endpoint: str | None = None

    def read(self, files: Files) -> Found:
        rows: list[dict[str, Any]] = []
        rejected: list[dict[str, Any]] = []
        for key, _ in files:
            for line in _lines(self.app.backend.objects.get(key)):
                try:
                    rows.append(self._row(key, line))
                except NotAnInference as reason:
                    rejected.append({"capture_key": key, "capture_line": line.number, "reason": str(reason)})
        return Found(files, rows, rejected)

    def _row(self, key: str, line: "_Line") -> dict[str, Any]:
        found = parse(line.text)
        if not found.is_picture:  # nobody could label it, and no model learn from it
            raise NotAnInference("the captured input is no PNG, JPEG, WebP or GIF picture")
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
        count = len(found.probabilities)
        if variant:
            return self.makers.of(endpoint, variant, found.time, found.model, count)
        if self.classes and len(self.classes) != count:
            raise NotAnInference(f"it has {count} probabilities, and {len(self.classes)} class names were given")
        return imported(self.classes or found.labels)


def as_lines(data: bytes) -> bytes:
    """A capture file from elsewhere as JSON lines: unpacked, and one record a line where it was printed over several.

    Raises BadInput for what unpacks to more than any capture file has.
    """
    if data.startswith(b"\x1f\x8b"):
        data = _unpacked(data)
    first = data.lstrip().partition(b"\n")[0].strip()
    if first == b"{" or first.startswith(b"["):
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            return data  # each line says for itself what is wrong with it
        records = found if isinstance(found, list) else [found]
        return b"".join(json.dumps(record).encode() + b"\n" for record in records)
    return data


def _unpacked(data: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        found = unpacking.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise BadInput(f"A compressed capture file is damaged ({error}): compress it anew.") from None
    if unpacking.unconsumed_tail:
        raise BadInput(f"A compressed capture file has more than {MOST_BYTES // 1_000_000} MB: unpack and split it.")
    return found


class _Line(NamedTuple):
    number: int  # from 0
    start: int  # bytes
    end: int
    text: bytes


def _lines(data: bytes) -> Iterator[_Line]:
    start = 0
    for number, text in enumerate(data.split(b"\n")):
        if text.strip():
            yield _Line(number, start, start + len(text), text)
        start += len(text) + 1
