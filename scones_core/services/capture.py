"""From data-capture files to inferences in the database, each once."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scones_core.db import inferences as table
from scones_core.domain.capture import NotAnInference, image_of, parse
from scones_core.errors import NotFound
from scones_core.services.app import App, Progress, silent

FILES_AT_ONCE = 500  # capture files per transaction
REVIEWED = "train/reviewed/"
JPEG = b"\xff\xd8\xff"
IMPORTED = "imported/"  # capture files that users brought, below the capture prefix


@dataclass(frozen=True)
class Ingested:
    """What an ingest found: records that are new, seen before, and unreadable."""

    new: int
    duplicates: int
    quarantined: int


def ingest(app: App, *, progress: Progress = silent) -> Ingested:
    """Read the capture files that are new or have grown since the last time."""
    listed = ((info.key, info.version) for info in app.backend.objects.list(app.backend.endpoints.capture_prefix))
    with app.db.read() as connection:
        files = table.unread(connection, (file for file in listed if file[0].endswith(".jsonl")))
    return _ingest(app, files, progress)


def ingest_files(app: App, files: Iterable[bytes], *, progress: Progress = silent) -> Ingested:
    """Read capture files from elsewhere; they are kept in the bucket, for their images."""
    keys = []
    for data in files:
        digest = hashlib.sha256(data).hexdigest()
        key = f"{app.backend.endpoints.capture_prefix}{IMPORTED}{digest[:32]}.jsonl"
        if not app.backend.objects.exists(key):
            app.backend.objects.put(key, data)
        keys.append((key, _version(app, key)))
    return _ingest(app, keys, progress)


def _version(app: App, key: str) -> str:
    return next(info.version for info in app.backend.objects.list(key))


def _ingest(app: App, files: Sequence[tuple[str, str]], progress: Progress) -> Ingested:
    new = seen = bad = done = 0
    for start in range(0, len(files), FILES_AT_ONCE):
        some = files[start : start + FILES_AT_ONCE]
        rows, rejected = _read(app, [key for key, _ in some])
        with app.db.write() as connection:
            fresh = table.add(connection, rows)
            table.mark_read(connection, some, rejected)
        new, seen, bad, done = new + fresh, seen + len(rows) - fresh, bad + len(rejected), done + len(some)
        progress(done, len(files), "capture files read")
    return Ingested(new, seen, bad)


def _read(app: App, keys: Iterable[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    for key in keys:
        for number, line in _lines(app.backend.objects.get(key)):
            try:
                rows.append(_row(app, key, number, line))
            except NotAnInference as reason:
                rejected.append({"capture_key": key, "capture_line": number, "reason": str(reason)})
    return rows, rejected


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    return ((number, line) for number, line in enumerate(data.split(b"\n")) if line.strip())


def _row(app: App, key: str, number: int, line: bytes) -> dict[str, Any]:
    inference = parse(line)
    parts = key.removeprefix(app.backend.endpoints.capture_prefix).split("/")
    endpoint, variant = (parts[0], parts[1]) if len(parts) > 2 else ("imported", "")
    return {
        "event_id": inference.event_id,
        "time": inference.time,
        "endpoint": endpoint,
        "variant": variant,
        "inference_id": inference.inference_id,
        "image_key": inference.image_key,
        "image_sha256": inference.image_sha256,
        "content_type": inference.content_type,
        "probabilities": list(inference.probabilities),
        "prediction": inference.prediction,
        "confidence": inference.confidence,
        "margin": inference.margin,
        "entropy": inference.entropy,
        "capture_key": key,
        "capture_line": number,
    }


def inference(app: App, event_id: str) -> dict[str, Any]:
    """One captured inference as recorded. Raises NotFound."""
    with app.db.read() as connection:
        found = table.get(connection, event_id)
    if found is None:
        raise NotFound(f"There is no captured inference “{event_id}”.")
    return found


def image(app: App, event_id: str) -> bytes:
    """The image behind a captured inference. Raises NotFound."""
    row = inference(app, event_id)
    lines = app.backend.objects.get(row["capture_key"]).split(b"\n")
    return image_of(lines[row["capture_line"]])


def stored_image(app: App, event_id: str) -> str:
    """Key, below `train/reviewed/`, of the image behind a captured inference; the image is put there if need be."""
    sha256 = inference(app, event_id)["image_sha256"]
    found = next(app.backend.objects.list(f"{REVIEWED}{sha256[:24]}."), None)
    if found:
        return found.key
    data = image(app, event_id)
    key = f"{REVIEWED}{sha256[:24]}.{'jpg' if data.startswith(JPEG) else 'png'}"
    app.backend.objects.put(key, data)
    return key


def captured(app: App) -> int:
    """How many inferences have been captured and read."""
    with app.db.read() as connection:
        return table.count(connection)
