"""Embedding of dataset and captured images, once per image."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from scones_core.bounded_map import bounded_map
from scones_core.db import embeddings as table
from scones_core.db.models import model_list
from scones_core.errors import BadImage, SconesError, Unavailable
from scones_core.services import capture, etl
from scones_core.services.app import App, Progress, silent
from scones_core.services.embedding_store import AT_ONCE, EXTRACTOR, merge, store
from scones_core.vision.extractor import SIDE, Embeddings, Extractor, extractor
from scones_core.vision.images import pixels

BATCH = 16

Wanted = Sequence[tuple[str, Callable[[], bytes]]]  # SHA-256 of an image, and how to read it


def state(app: App) -> tuple[object, ...]:
    """Differs if there may be new images."""
    return tuple(_in_use(app)), capture.captured(app)


def embed_new(app: App, *, progress: Progress = silent, rest: float = 0.0) -> int:
    """Embed the images of the dataset versions in use, and all captured ones; returns how many were new.

    rest : after each batch, as a multiple of the time that it took.  Raises Unavailable without an extractor.
    """
    done = 0
    sources = [partial(_of_dataset, app, dataset) for dataset in _in_use(app)]
    for source in (*sources, partial(_of_captures, app)):
        while not app.background.closing and (wanted := source()):
            done += len(wanted)
            embed(app, wanted, rest)
            progress(done, None, "images embedded")
    merge(app)
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
    return [(row["image_sha256"], partial(capture.image_of_row, app, row)) for row in found]


def embed(app: App, wanted: Wanted, rest: float = 0.0) -> None:
    """Embed images and keep their embeddings, until the app is closed; those that cannot be read are noted as such."""
    network = extractor()
    begun = time.perf_counter()
    read = bounded_map(lambda one: _read(one[1]), wanted, app.backend.objects.at_once)
    found: dict[str, Embeddings] = {}
    unreadable: list[str] = []
    batch: dict[str, bytes] = {}
    for (image, _), data in zip(wanted, read, strict=True):
        batch[image] = data
        if len(batch) == BATCH:
            _embed_batch(network, batch, found, unreadable)
            batch = {}
            app.background.rest(rest * (time.perf_counter() - begun))
            if app.background.closing:  # what is left is found again
                break
            begun = time.perf_counter()
    _embed_batch(network, batch, found, unreadable)
    store(app, found)
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
