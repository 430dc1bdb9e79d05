"""Embeddings of dataset and captured images: computed once per image, kept in segments in the object store.

A segment is written before the database refers to it, so that interrupted work resumes where it ended.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import numpy as np

from scones_core import logs
from scones_core.bounded_map import bounded_map
from scones_core.db import embeddings as table
from scones_core.db.models import model_list
from scones_core.errors import BadImage, Damaged, NotFound, SconesError, Unavailable
from scones_core.services import capture, etl
from scones_core.services.app import App, Progress, silent
from scones_core.vision.embedding_files import SUFFIX, Records, pack, unpack
from scones_core.vision.extractor import DIGEST, SIDE, Embeddings, Extractor, extractor
from scones_core.vision.images import pixels

log = logs.get(__name__)

EXTRACTOR = DIGEST[:16]
PREFIX = f"embeddings/{EXTRACTOR}/"
AT_ONCE = 2_048  # images per segment
BATCH = 16
SMALL = 32  # segments below half of AT_ONCE that are left before they are merged

Wanted = Sequence[tuple[str, Callable[[], bytes]]]  # SHA-256 of an image, and how to read it


def state(app: App) -> tuple[object, ...]:
    """Differs if there may be new images."""
    return tuple(_in_use(app)), capture.captured(app)


def embed_new(app: App, *, progress: Progress = silent) -> int:
    """Embed the images of the dataset versions in use, and all captured ones; returns how many were new.

    Raises Unavailable without an extractor.
    """
    done = 0
    sources = [partial(_of_dataset, app, dataset) for dataset in _in_use(app)]
    for source in (*sources, partial(_of_captures, app)):
        while wanted := source():
            done += len(wanted)
            embed(app, wanted)
            progress(done, None, "images embedded")
    _merge(app)
    return done


def _in_use(app: App) -> list[str]:
    """The current dataset version, and those that models were trained on."""
    version = etl.current(app)
    with app.db.read() as connection:
        trained_on = [model.dataset for model in model_list(connection)]
    return list(dict.fromkeys([version.id, *trained_on] if version else trained_on))


def _of_dataset(app: App, dataset: str) -> Wanted:
    with app.db.read() as connection:
        found = table.dataset_without(connection, EXTRACTOR, dataset, AT_ONCE)
    return [(image, partial(app.backend.objects.get, key)) for image, key in found]


def _of_captures(app: App) -> Wanted:
    with app.db.read() as connection:
        found = table.captured_without(connection, EXTRACTOR, AT_ONCE)
    return [(image, partial(capture.image, app, event)) for image, event in found]


def embed(app: App, wanted: Wanted) -> None:
    """Embed images and keep their embeddings; those that cannot be read or decoded are noted as such."""
    network = extractor()
    read = bounded_map(lambda one: _read(one[1]), wanted, app.backend.objects.at_once)
    found: dict[str, Embeddings] = {}
    unreadable: list[str] = []
    batch: dict[str, bytes] = {}
    for (image, _), data in zip(wanted, read, strict=True):
        batch[image] = data
        if len(batch) == BATCH:
            _embed_batch(network, batch, found, unreadable)
            batch = {}
    _embed_batch(network, batch, found, unreadable)
    _store(app, found)
    with app.db.write() as connection:
        table.place(connection, EXTRACTOR, table.UNREADABLE, unreadable)


def _read(read: Callable[[], bytes]) -> bytes:
    try:
        return read()
    except Unavailable:
        raise
    except SconesError:  # it is missing; pages say so where it is shown
        return b""


def _embed_batch(
    network: Extractor, batch: Mapping[str, bytes], found: dict[str, Embeddings], unreadable: list[str]
) -> None:
    decoded = {}
    for image, data in batch.items():
        try:
            decoded[image] = pixels(data, SIDE)
        except BadImage:
            unreadable.append(image)
    if decoded:
        found.update(zip(decoded, network.embed(np.stack(list(decoded.values()))), strict=True))


def _store(app: App, found: Mapping[str, Embeddings]) -> None:
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


def _segment(app: App, segment: str) -> Records | None:
    try:
        return unpack(app.backend.objects.get(segment))
    except (NotFound, Damaged) as error:
        log.warning("embeddings lost", segment=segment, error=str(error))
    with app.db.write() as connection:
        table.forget(connection, EXTRACTOR, segment)
    return None


def _merge(app: App) -> None:
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
    _store(app, merged)
    for segment in done:
        with suppress(SconesError):
            app.backend.objects.delete(segment)


def embedded(app: App) -> int:
    """Number of images that have an embedding."""
    with app.db.read() as connection:
        return sum(table.segments(connection, EXTRACTOR).values())
