"""Ingest of data-capture files: each inference is recorded once."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import sqlalchemy as sa

from scones_core import logs
from scones_core.bounded_map import bounded_map, one_ahead
from scones_core.db import counts, datasets, label_checks
from scones_core.db import inferences as table
from scones_core.db.reviews import unreadable
from scones_core.domain.attribution import Attribution, Maker
from scones_core.domain.capture import NotAnInference, image_format, image_of
from scones_core.errors import BadInput, NotFound
from scones_core.ports import ObjectInfo
from scones_core.services import drift_watch
from scones_core.services.app import App, Progress, silent
from scones_core.services.attribution import Makers
from scones_core.services.capture_reading import FOREIGN, CaptureReader, Files, Found, as_lines
from scones_core.sources.model import check_classes
from scones_core.vision.images import decode

FILES_AT_ONCE = 8  # capture files per thread at a time
ROWS_AT_ONCE = 60_000  # approximate inferences per transaction; in smaller ones a large index is written more often
DEPTH = 6  # folders down to an hour of captures: endpoint/variant/YYYY/MM/DD/HH/
LATE = timedelta(days=1)  # endpoints write captures within minutes
REVIEWED = "train/reviewed/"
NAME = re.compile(r"[a-zA-Z0-9](-?[a-zA-Z0-9]){0,62}")  # endpoint names, as SageMaker allows them
IMPORTED = f"{FOREIGN}/"  # prefix of imported capture files, below the capture prefix


@dataclass(frozen=True)
class Ingested:
    """Result of an ingest: counts of new, known and unreadable records.

    unnamed : imported inferences without class names, of this and earlier ingests.
    """

    new: int
    duplicates: int
    quarantined: int
    unnamed: int = 0

    def __add__(self, later: "Ingested") -> "Ingested":
        """The sum of both; `unnamed` is the later value."""
        counts = (self.new + later.new, self.duplicates + later.duplicates, self.quarantined + later.quarantined)
        return Ingested(*counts, unnamed=later.unnamed)


@logs.use_case
def ingest(app: App, *, recent: bool = False, progress: Progress = silent) -> Ingested:
    """Read capture files that are new or have grown since the last ingest; endpoints and hours in parallel.

    recent : read only hours from one day before the newest inference on; its time does not grow with the history.
    """
    return _captured(app, recent, progress)


def read_recent(app: App) -> Ingested:
    """As `ingest` of recent hours, without a line in the log: for pages that look every few seconds."""
    return _captured(app, True, silent)


def _captured(app: App, recent: bool, progress: Progress) -> Ingested:
    with app.db.read() as connection:
        newest = table.newest(connection, datetime.now(UTC)) if recent else None
    since = f"{newest - LATE:%Y/%m/%d/%H}/" if newest else ""
    found = _ingest(app, _unread(app, _listed(app, since)), CaptureReader(app, Makers(app)), progress)
    if found.new:
        drift_watch.follow(app)
    return found


def _listed(app: App, since: str) -> Iterator[Files]:
    """The capture files, ordered by endpoint, variant and hour; those of an hour together."""
    objects = app.backend.objects
    folders: Sequence[str] = [app.backend.endpoints.capture_prefix]
    for _ in range(DEPTH):
        levels = list(bounded_map(objects.listdir, folders, objects.at_once))
        for _folders, infos in levels:  # endpoints write to deeper folders; files copied here by hand may not
            yield _files(infos)
        below = [folder for found, _infos in levels for folder in found]
        # 2026/ is no earlier than 2026/11/24/09/, and 2025/ is.
        folders = [folder for folder in below if (date := _date(app, folder)) >= since[: len(date)]]
    yield from bounded_map(lambda folder: _files(objects.list(folder)), folders, objects.at_once)


def _date(app: App, folder: str) -> str:
    """The date part of a capture folder, such as 2026/11/."""
    return "/".join(folder.removeprefix(app.backend.endpoints.capture_prefix).split("/")[2:])


def _files(infos: Iterable[ObjectInfo]) -> Files:
    return [(info.key, info.version) for info in infos if info.key.endswith(".jsonl")]


@logs.use_case
def ingest_files(
    app: App,
    files: Iterable[bytes],
    *,
    classes: Sequence[str] | None = None,
    endpoint: str | None = None,
    progress: Progress = silent,
) -> Ingested:
    """Import capture files; they are kept in the bucket, for their images.

    classes : class names in the order of the probabilities; without them the inferences stay unnamed until the files
    are imported again with names, or `name_classes` is called.  endpoint : the endpoint that made the captures.
    """
    if classes:
        check_classes(tuple(classes))
    if endpoint is not None and not NAME.fullmatch(endpoint):
        raise BadInput(f"“{endpoint[:63]!a}” is not an endpoint name: use up to 63 letters, digits and hyphens.")
    keys = []
    for data in map(as_lines, files):
        digest = hashlib.sha256(data).hexdigest()
        key = f"{app.backend.endpoints.capture_prefix}{IMPORTED}{digest[:32]}.jsonl"
        if not app.backend.objects.exists(key):
            app.backend.objects.put(key, data)
        keys.append((key, _version(app, key)))
    brought = CaptureReader(app, Makers(app), tuple(classes or ()), endpoint or FOREIGN)
    found = _ingest(app, _portions(keys), brought, progress)
    unnamed = sum(maker.unnamed for maker in makers(app) if maker.name == Attribution.IMPORTED)
    return replace(found, unnamed=unnamed)


@logs.use_case
def name_classes(app: App, classes: Sequence[str]) -> int:
    """Name the classes of unnamed imported inferences with as many probabilities; returns their number.

    Raises BadInput if there are none, or for invalid class names.
    """
    check_classes(tuple(classes))
    with app.db.write() as connection:
        names = tuple(classes)
        named = table.name_imported(connection, table.class_list_ids(connection, [names])[names], len(names))
    if not named:
        raise BadInput(f"No unnamed inference has {len(classes)} probabilities: enter one name per probability.")
    return named


def _version(app: App, key: str) -> str:
    return next(info.version for info in app.backend.objects.list(key))


def _ingest(app: App, files: Iterable[Files], reading: CaptureReader, progress: Progress) -> Ingested:
    new = seen = bad = done = 0

    def durable(found: Found) -> Found:
        app.backend.objects.make_durable(key for key, _version in found.files)
        return found

    read = bounded_map(reading.read, files, app.backend.objects.at_once)
    for found in one_ahead(map(durable, _in_transactions(read))):
        with app.db.write() as connection:
            fresh = table.add(connection, _with_class_lists(connection, found.rows))
            table.mark_read(connection, found.files, found.rejected)
        new, seen = new + fresh, seen + len(found.rows) - fresh
        bad, done = bad + len(found.rejected), done + len(found.files)
        progress(done, None, "capture files read")
    return Ingested(new, seen, bad)


def _with_class_lists(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The rows with their class names replaced by ids."""
    ids: dict[Any, int | None] = {None: None}
    ids |= table.class_list_ids(connection, {row["classes"] for row in rows if row["classes"]})
    for row in rows:
        row["class_list"] = ids[row.pop("classes")]
    return rows


def _unread(app: App, listed: Iterable[Files]) -> Iterator[Files]:
    """The files not read in this version yet."""
    for files in listed:
        with app.db.read() as connection:
            unread = table.unread(connection, files)
        yield from _portions(unread)


def _portions(files: Files) -> Iterator[Files]:
    return (files[start : start + FILES_AT_ONCE] for start in range(0, len(files), FILES_AT_ONCE))


def _in_transactions(found: Iterable[Found]) -> Iterator[Found]:
    """The same, merged to the size of a transaction."""
    some: list[Found] = []
    for one in found:
        some.append(one)
        if sum(len(part.rows) for part in some) >= ROWS_AT_ONCE:
            yield _together(some)
            some = []
    if some:
        yield _together(some)


def _together(some: Sequence[Found]) -> Found:
    return Found(*(list(chain.from_iterable(getattr(one, part.name) for one in some)) for part in fields(Found)))


def inference(app: App, event_id: str) -> dict[str, Any]:
    """One captured inference, or label check, as recorded. Raises NotFound."""
    with app.db.read() as connection:
        found = label_checks.subject(connection, event_id)
    if found is None:
        raise NotFound(f"No captured inference “{event_id}”.")
    return found


def image(app: App, event_id: str) -> bytes:
    """The image of a captured inference; if its capture is missing, the copy in a dataset version. Raises NotFound."""
    return image_of_row(app, inference(app, event_id))


def image_of_row(app: App, row: Mapping[str, Any]) -> bytes:
    """As `image`, of an inference as recorded."""
    try:
        return _captured_image(app, row)
    except (NotFound, NotAnInference):
        pass
    with app.db.read() as connection:
        key = datasets.key_of(connection, row["image_sha256"])
    event_id = row["event_id"]
    if key is None:
        raise NotFound(f"The image of the captured inference “{event_id}” is missing, or its capture file is damaged.")
    found = app.backend.objects.get(key)
    if hashlib.sha256(found).hexdigest() != row["image_sha256"]:
        raise NotFound(f"The image of the captured inference “{event_id}” is damaged (“{key}”).")
    return found


def _captured_image(app: App, row: Mapping[str, Any]) -> bytes:
    objects = app.backend.objects
    if not row["capture_key"]:
        raise NotAnInference("an image of a dataset version")
    if row["capture_start"] is None:
        lines = objects.get(row["capture_key"]).split(b"\n")
        return image_of(lines[row["capture_line"]] if row["capture_line"] < len(lines) else b"")
    found = image_of(objects.get_range(row["capture_key"], row["capture_start"], row["capture_end"]))
    if hashlib.sha256(found).hexdigest() != row["image_sha256"]:
        raise NotAnInference("the image differs from the one read before")
    return found


def stored_image(app: App, event_id: str) -> str:
    """Key, below `train/reviewed/`, of the image of a captured inference.

    Stores the image there if it is missing or differs from the captured one. Raises NotFound, BadImage.
    """
    sha256 = inference(app, event_id)["image_sha256"]
    found = next(app.backend.objects.list(f"{REVIEWED}{sha256[:24]}."), None)
    data = app.backend.objects.get(found.key) if found else b""
    if found and hashlib.sha256(data).hexdigest() == sha256:
        decode(data)  # an older app version stored data that is not an image
        return found.key
    data = image(app, event_id)
    decode(data)
    key = f"{REVIEWED}{sha256[:24]}.{image_format(data) or 'png'}"
    app.backend.objects.put(key, data)
    return key


def put_aside(app: App) -> list[dict[str, Any]]:
    """Lines of capture files that are unreadable, or whose image is: file (key), line (from 1), reason."""
    with app.db.read() as connection:
        rows = [*table.quarantined(connection), *unreadable(connection)]
    return [{"file": r["capture_key"], "line": r["capture_line"] + 1, "reason": r["reason"]} for r in rows]


def captured(app: App) -> int:
    """Number of ingested inferences."""
    with app.db.read() as connection:
        return int(connection.scalar(counts.counted()) or 0)


def makers(app: App) -> list[Maker]:
    """Makers of the captured inferences: model versions, newest first, then the rest."""
    with app.db.read() as connection:
        return counts.makers(connection)
