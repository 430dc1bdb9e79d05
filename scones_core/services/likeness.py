"""Likeness of images by their embeddings: captured images unlike the training images, and images like a given one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from scones_core import logs
from scones_core.db import embeddings as table
from scones_core.db import inferences as inferences_table
from scones_core.domain.datasets import TRAIN
from scones_core.services import embedding_store, embeddings, etl, training
from scones_core.services.app import App, Progress, silent
from scones_core.services.background import Loop
from scones_core.services.classification import class_name
from scones_core.vision.extractor import Embeddings, missing

Floats = npt.NDArray[np.float32]

NEIGHBOURS = 10  # training images whose mean similarity counts
REFERENCE = 2_000  # training images compared with, at most
FALSE_ALARMS = 0.05  # share of held-out training images that would be called unlike the others
FEWEST = 2 * NEIGHBOURS  # training images that a reference needs
AT_ONCE = 2_048
CAPTURED = 20_000  # newest captured images that are searched
EVERY = 5.0  # seconds between looks for new images
REST = 1.0  # of the time that a batch takes, so that pages and executions have the processor in between

log = logs.get(__name__)


def watch(app: App, *, every: float = EVERY) -> Loop:
    """Embed and compare new images in the background until the app is closed."""
    seen: list[object] = [None]

    def look() -> None:
        now = embeddings.state(app)
        if now != seen[0]:
            if reason := missing():
                log.warning("images not embedded", reason=reason)
            else:
                update(app, rest=REST)
            seen[0] = now

    return app.background.repeat("embeddings", every, look)


@dataclass(frozen=True)
class Updated:
    """Images embedded and compared now; images with an embedding in all."""

    embedded: int
    compared: int
    images: int


def update(app: App, *, progress: Progress = silent, rest: float = 0.0) -> Updated:
    """Embed new images, and compare captured ones with training images. Raises Unavailable without an extractor."""
    embedded = embeddings.embed_new(app, progress=progress, rest=rest)
    return Updated(embedded, compare_new(app), embedding_store.embedded(app))


def compare_new(app: App) -> int:
    """Compare captured images with the training images of the models that classified them; returns how many."""
    done = 0
    while True:
        with app.db.read() as connection:
            found = table.not_compared(connection, embedding_store.EXTRACTOR, AT_ONCE)
        progress = sum(_compare(app, model, images) for model, images in found.items())
        if not progress:
            return done
        done += progress


def _compare(app: App, model: int, images: Sequence[str]) -> int:
    """Number of images compared."""
    reference = _reference(app, model)
    if reference is None:
        return 0
    vectors = embedding_store.vectors(app, images)
    values = similarity(np.stack(list(vectors.values())), reference) if vectors else ()
    with app.db.write() as connection:
        unreadable = table.known(connection, embedding_store.EXTRACTOR, images) - set(vectors)
        found: dict[str, float | None] = dict.fromkeys(unreadable)
        found |= {image: float(value) for image, value in zip(vectors, values, strict=True)}
        table.add_similarities(connection, model, found)
    return len(found)


def _reference(app: App, model: int) -> Floats | None:
    """Unit vectors of the model's training images; None while too few have embeddings."""
    version = next((one for one in training.models(app) if one.number == model), None)
    if version is None:
        return None
    images = [image.sha256 for image in etl.images(app, version.dataset, TRAIN)]
    chosen = sorted(set(images))[:: max(1, len(set(images)) // REFERENCE)][:REFERENCE]  # digests are in random order
    found = embedding_store.vectors(app, chosen)
    if len(found) < max(FEWEST, len(chosen) // 2):
        return None
    reference = unit(np.stack(list(found.values())))
    with app.db.read() as connection:
        known = table.reference(connection, model)
    if known is None or known["extractor"] != embedding_store.EXTRACTOR:
        level = level_of(reference)
        with app.db.write() as connection:
            table.set_reference(connection, model, embedding_store.EXTRACTOR, len(reference), level)
    return reference


def level_of(reference: Floats) -> float:
    """The similarity below which a share of FALSE_ALARMS of training images lie, each compared with the others."""
    products = reference @ reference.T
    np.fill_diagonal(products, -1)
    return float(np.quantile(_mean_of_nearest(products), FALSE_ALARMS))


def similarity(vectors: Embeddings, reference: Floats) -> Floats:
    """Mean cosine with the NEIGHBOURS most similar reference vectors, shape (n,), at most 1."""
    return _mean_of_nearest(unit(vectors) @ reference.T)


def _mean_of_nearest(products: Floats) -> Floats:
    return np.asarray(np.partition(products, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:].mean(axis=1))


def unit(vectors: Embeddings | Floats) -> Floats:
    """Rows of length 1, float32."""
    found = vectors.astype(np.float32)
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.float32(1e-8)))


@dataclass(frozen=True)
class Mark:
    """similarity : of an image to the training images of the model that classified it, at most 1; None if unknown.

    level : below it an image is unlike the training images.  images : training images compared with.
    """

    similarity: float | None
    level: float | None = None
    images: int = 0

    @property
    def unlike(self) -> bool:
        return self.similarity is not None and self.level is not None and self.similarity < self.level


@dataclass(frozen=True)
class Stranger:
    """A captured inference whose image is unlike the training images of the model that made it."""

    event_id: str
    image_sha256: str
    prediction: str
    confidence: float
    similarity: float


@dataclass(frozen=True)
class Unlike:
    """Captured images of a model: compared with its training images, and unlike them; the least similar ones.

    level : similarity below which an image is unlike them: FALSE_ALARMS of the training images are, too.
    images : training images compared with.
    """

    compared: int
    unlike: int
    level: float
    images: int
    strangers: Sequence[Stranger]


def unlike(app: App, model: int, *, count: int = 40) -> Unlike | None:
    """What does not belong, of what a model classified; None before anything was compared."""
    with app.db.read() as connection:
        reference = table.reference(connection, model)
        if reference is None:
            return None
        names = inferences_table.class_lists(connection)
        compared, below = table.compared(connection, model)
        rows = table.least_similar(connection, model, count)
    strangers = [
        Stranger(
            row.event_id,
            row.image_sha256,
            class_name(names.get(row.class_list or 0, ()), row.prediction),
            row.confidence,
            row.similarity,
        )
        for row in rows
    ]
    return Unlike(compared, below, reference["level"], reference["images"], strangers)


def marks(app: App, events: Sequence[str]) -> dict[str, Mark]:
    """The mark of each of the captured inferences that exist."""
    with app.db.read() as connection:
        rows = table.similarities_of(connection, events)
    return {event: Mark(similarity, level, images or 0) for event, similarity, level, images in rows}


def unlike_keys(app: App, keys: Sequence[str]) -> set[str]:
    """Those of the objects whose captured inferences were found unlike the training images of their model."""
    with app.db.read() as connection:
        return table.unlike_keys(connection, keys)


@dataclass(frozen=True)
class Match:
    """An image, and the cosine of its embedding with that of the image asked about, at most 1."""

    sha256: str
    cosine: float


@dataclass(frozen=True)
class Neighbour:
    """An image like another. key, event : where its picture is: an object, or a captured inference (then key is "").

    what : its label or prediction, and where it is from.
    """

    sha256: str
    cosine: float
    what: str
    key: str
    event: str


@dataclass(frozen=True)
class Neighbourhood:
    """itself : the image asked about, if it is among those looked at.  nearest : the most alike first.

    among : how many were looked at: the images of the current dataset version and the newest captured ones.
    """

    itself: Neighbour | None
    nearest: Sequence[Neighbour]
    among: int


def neighbours(app: App, image: str, *, count: int) -> Neighbourhood:
    """The images most like one; none if it has no embedding yet."""
    known = _everywhere(app)
    found = like(app, image, among=list(known), count=count)
    nearest = [replace(known[match.sha256], cosine=match.cosine) for match in found]
    return Neighbourhood(known.get(image), nearest, len(known))


def _everywhere(app: App) -> dict[str, Neighbour]:
    found: dict[str, Neighbour] = {}
    with app.db.read() as connection:
        names = inferences_table.class_lists(connection)
        for row in inferences_table.newest_images(connection, CAPTURED):
            prediction = class_name(names.get(row.class_list or 0, ()), row.prediction)
            what = f"predicted {prediction}, captured"
            found.setdefault(row.image_sha256, Neighbour(row.image_sha256, 1.0, what, "", row.event_id))
    version = etl.current(app)
    for one in etl.images(app, version.id) if version else ():
        what = f"{version.classes[one.class_index]}, {one.split}" if version else ""
        found[one.sha256] = Neighbour(one.sha256, 1.0, what, one.key, "")
    return found


def like(app: App, image: str, *, among: Sequence[str], count: int) -> list[Match]:
    """The images most like one, the most alike first; empty if it has no embedding."""
    best: list[Match] = []
    [wanted] = embedding_store.vectors(app, [image]).values() or [None]
    if wanted is None:
        return []
    target = unit(wanted[None])[0]
    others = [other for other in dict.fromkeys(among) if other != image]
    for start in range(0, len(others), AT_ONCE):
        found = embedding_store.vectors(app, others[start : start + AT_ONCE])
        if found:
            cosines = unit(np.stack(list(found.values()))) @ target
            best += [Match(name, float(cosine)) for name, cosine in zip(found, cosines, strict=True)]
            best = sorted(best, key=lambda match: -match.cosine)[:count]
    return best
