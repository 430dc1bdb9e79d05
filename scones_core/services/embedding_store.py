"""Where embeddings are kept: segments in the object store, and in the database where in them each image lies.

A segment is written before the database refers to it, so that interrupted work resumes where it ended.
"""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress

from scones_core import logs
from scones_core.db import embeddings as table
from scones_core.errors import Damaged, NotFound, SconesError
from scones_core.services.app import App
from scones_core.vision.embedding_files import SUFFIX, Records, pack, unpack
from scones_core.vision.extractor import DIGEST, Embeddings

log = logs.get(__name__)

EXTRACTOR = DIGEST[:16]
PREFIX = f"embeddings/{EXTRACTOR}/"
AT_ONCE = 2_048  # images per segment
SMALL = 32  # segments below half of AT_ONCE that are left before they are merged


def store(app: App, found: Mapping[str, Embeddings]) -> None:
    if not found:
        return
    data = pack(found)
    key = f"{PREFIX}{hashlib.sha256(data).hexdigest()[:24]}{SUFFIX}"
    app.backend.objects.put(key, data)
    with app.db.write() as connection:
        table.place(connection, EXTRACTOR, key, found)


def vectors(app: App, images: Iterable[str]) -> dict[str, Embeddings]:
    """SHA-256 → embedding, of those of the images that have one; lost or damaged segments are forgotten."""
    found: dict[str, Embeddings] = {}
    with app.db.read() as connection:
        places = table.places(connection, EXTRACTOR, list(dict.fromkeys(images)))
    for segment, rows in places.items():
        records = _segment(app, segment)
        if records is None:
            continue
        for row, image in rows.items():
            if row < len(records) and records["sha256"][row] == image.encode():
                found[image] = records["embedding"][row].copy()  # a view would keep the whole segment
    return found


def waiting(app: App, images: Iterable[str]) -> int:
    """How many of the images are yet to be embedded."""
    wanted = list(dict.fromkeys(images))
    with app.db.read() as connection:
        return len(wanted) - len(table.known(connection, EXTRACTOR, wanted))


def _segment(app: App, segment: str) -> Records | None:
    try:
        return unpack(app.backend.objects.get(segment))
    except (NotFound, Damaged) as error:
        log.warning("embeddings lost", segment=segment, error=str(error))
    with app.db.write() as connection:
        table.forget(connection, EXTRACTOR, segment)
    return None


def merge(app: App) -> None:
    """Merge small segments into large ones."""
    with app.db.read() as connection:
        small = [key for key, n in table.segments(connection, EXTRACTOR).items() if n < AT_ONCE // 2]
    if len(small) <= SMALL:
        return
    merged: dict[str, Embeddings] = {}
    done: list[str] = []
    for segment in small:
        records = _segment(app, segment)
        if records is not None:
            merged |= {
                name.decode(): vector for name, vector in zip(records["sha256"], records["embedding"], strict=True)
            }
            done.append(segment)
        if len(merged) >= AT_ONCE:
            break
    store(app, merged)
    for segment in done:
        with suppress(SconesError):
            app.backend.objects.delete(segment)


def embedded(app: App) -> int:
    """Number of images that have an embedding."""
    with app.db.read() as connection:
        return sum(table.segments(connection, EXTRACTOR).values())
