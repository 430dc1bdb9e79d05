"""From data-capture files to inferences in the database, each once."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from itertools import chain
from typing import Any, NamedTuple

from scones_core.ahead import map_ahead
from scones_core.db import inferences as table
from scones_core.domain.capture import NotAnInference, image_of, parse
from scones_core.errors import NotFound
from scones_core.ports import ObjectInfo
from scones_core.services.app import App, Progress, silent

FILES_AT_ONCE = 8  # capture files that a thread takes at a time
ROWS_AT_ONCE = 10_000  # inferences per transaction, about
DEPTH = 6  # folders down to an hour of captures: endpoint/variant/YYYY/MM/DD/HH/
LATE = timedelta(days=1)  # endpoints write what they captured within minutes
REVIEWED = "train/reviewed/"
JPEG = b"\xff\xd8\xff"
FOREIGN = "imported"  # stands for the endpoint of capture files that users brought
IMPORTED = f"{FOREIGN}/"  # where these lie, below the capture prefix

Files = Sequence[tuple[str, str]]  # (key, version)


@dataclass(frozen=True)
class Ingested:
    """What an ingest found: records that are new, seen before, and unreadable."""

    new: int
    duplicates: int
    quarantined: int


@dataclass(frozen=True)
class _Found:
    """What some capture files hold."""

    files: Files
    rows: Sequence[dict[str, Any]]
    rejected: Sequence[dict[str, Any]]


def ingest(app: App, *, recent: bool = False, progress: Progress = silent) -> Ingested:
    """Read the capture files that are new or have grown since the last time; endpoints and hours in parallel.

    recent : look only into the hours from a day before the newest inference on, which is quick however many there are.
    """
    with app.db.read() as connection:
        newest = table.newest(connection, but=FOREIGN) if recent else None
    since = f"{newest - LATE:%Y/%m/%d/%H}/" if newest else ""
    return _ingest(app, _unread(app, _listed(app, since)), progress)


def _listed(app: App, since: str) -> Iterator[Files]:
    """The capture files, in the order of endpoint, variant and hour; those of an hour come together."""
    objects = app.backend.objects
    folders: Sequence[str] = [app.backend.endpoints.capture_prefix]
    for _ in range(DEPTH):
        levels = list(map_ahead(objects.listdir, folders, objects.at_once))
        for _folders, infos in levels:  # what an endpoint wrote lies deeper, what people put here need not
            yield _files(infos)
        below = [folder for found, _infos in levels for folder in found]
        # 2026/ is no earlier than 2026/11/24/09/, and 2025/ is.
        folders = [folder for folder in below if (date := _date(app, folder)) >= since[: len(date)]]
    yield from map_ahead(lambda folder: _files(objects.list(folder)), folders, objects.at_once)


def _date(app: App, folder: str) -> str:
    """The part of a capture folder that is a date, as 2026/11/."""
    return "/".join(folder.removeprefix(app.backend.endpoints.capture_prefix).split("/")[2:])


def _files(infos: Iterable[ObjectInfo]) -> Files:
    return [(info.key, info.version) for info in infos if info.key.endswith(".jsonl")]


def ingest_files(app: App, files: Iterable[bytes], *, progress: Progress = silent) -> Ingested:
    """Read capture files from elsewhere; they are kept in the bucket, for their images."""
    keys = []
    for data in files:
        digest = hashlib.sha256(data).hexdigest()
        key = f"{app.backend.endpoints.capture_prefix}{IMPORTED}{digest[:32]}.jsonl"
        if not app.backend.objects.exists(key):
            app.backend.objects.put(key, data)
        keys.append((key, _version(app, key)))
    return _ingest(app, _portions(keys), progress)


def _version(app: App, key: str) -> str:
    return next(info.version for info in app.backend.objects.list(key))


def _ingest(app: App, files: Iterable[Files], progress: Progress) -> Ingested:
    new = seen = bad = done = 0
    for found in _in_transactions(map_ahead(lambda some: _read(app, some), files, app.backend.objects.at_once)):
        with app.db.write() as connection:
            fresh = table.add(connection, found.rows)
            table.mark_read(connection, found.files, found.rejected)
        new, seen = new + fresh, seen + len(found.rows) - fresh
        bad, done = bad + len(found.rejected), done + len(found.files)
        progress(done, None, "capture files read")
    return Ingested(new, seen, bad)


def _unread(app: App, listed: Iterable[Files]) -> Iterator[Files]:
    """Those that have not been read in this version."""
    for files in listed:
        with app.db.read() as connection:
            unread = table.unread(connection, files)
        yield from _portions(unread)


def _portions(files: Files) -> Iterator[Files]:
    return (files[start : start + FILES_AT_ONCE] for start in range(0, len(files), FILES_AT_ONCE))


def _in_transactions(found: Iterable[_Found]) -> Iterator[_Found]:
    """The same, put together until there is enough for a transaction."""
    some: list[_Found] = []
    for one in found:
        some.append(one)
        if sum(len(part.rows) for part in some) >= ROWS_AT_ONCE:
            yield _together(some)
            some = []
    if some:
        yield _together(some)


def _together(some: Sequence[_Found]) -> _Found:
    return _Found(*(list(chain.from_iterable(getattr(one, part.name) for one in some)) for part in fields(_Found)))


def _read(app: App, files: Files) -> _Found:
    rows: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    for key, _ in files:
        for line in _lines(app.backend.objects.get(key)):
            try:
                rows.append(_row(app, key, line))
            except NotAnInference as reason:
                rejected.append({"capture_key": key, "capture_line": line.number, "reason": str(reason)})
    return _Found(files, rows, rejected)


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


def _row(app: App, key: str, line: _Line) -> dict[str, Any]:
    inference = parse(line.text)
    parts = key.removeprefix(app.backend.endpoints.capture_prefix).split("/")
    endpoint, variant = (parts[0], parts[1]) if len(parts) > 2 else (FOREIGN, "")
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
        "capture_line": line.number,
        "capture_start": line.start,
        "capture_end": line.end,
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
    row, objects = inference(app, event_id), app.backend.objects
    if row["capture_start"] is None:
        return image_of(objects.get(row["capture_key"]).split(b"\n")[row["capture_line"]])
    return image_of(objects.get_range(row["capture_key"], row["capture_start"], row["capture_end"]))


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
