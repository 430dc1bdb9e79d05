"""Retraining on reviewed labels, and comparison of challenger and champion."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa

from scones_core import logs
from scones_core.bounded_map import bounded_map
from scones_core.db import class_proposals
from scones_core.db import reviews as table
from scones_core.domain.comparison import Comparison, compare
from scones_core.domain.datasets import (
    TEST,
    TRAIN,
    Correction,
    DatasetVersion,
    LabelledImage,
    ReviewedImage,
    made_from,
    with_reviewed,
)
from scones_core.domain.models import ModelVersion
from scones_core.domain.review import OTHER, Status
from scones_core.errors import Conflict, NotFound, SconesError
from scones_core.ports import TrainingJob
from scones_core.services import capture, deployment, etl, held_out, registration, review, training
from scones_core.services.app import App
from scones_core.vision.copies import DIMENSIONS, Fingerprints, are_alike, find_copies, fingerprint
from scones_core.vision.images import decode

log = logs.get(__name__)


@dataclass(frozen=True)
class Retrained:
    dataset: DatasetVersion
    new_labels: int
    challenger: ModelVersion
    champion: ModelVersion
    comparison: Comparison
    held_out: Comparison | None  # of their cross-validations


def new_labels(app: App) -> int:
    """Number of reviewed labels that the current dataset version does not contain yet.

    Test images and known copies of them do not count: they are never trained on.
    """
    dataset = etl.current(app)
    if dataset is None:
        return 0
    with app.db.read() as connection:
        return int(connection.scalar(table.trainable(dataset.id, _with_accepted(connection, dataset))) or 0)


def _with_accepted(connection: sa.Connection, dataset: DatasetVersion) -> tuple[str, ...]:
    """The classes of a dataset version, and the accepted new ones."""
    new = (name for name in class_proposals.accepted(connection) if name not in dataset.classes)
    return (*dataset.classes, *new)


@logs.use_case
def new_dataset(app: App, *, min_labels: int = 1) -> DatasetVersion:
    """A child of the current dataset version that includes the reviewed images.

    They go into `train`; test images and copies of them correct the label of that test image instead. An accepted new
    class becomes a class of the version with its first training image. A training image that is none of the classes or
    unusable leaves it. A missing image is listed in the version's `skipped`.
    min_labels : new training labels; with 0, corrected test labels or images left out suffice. Raises Conflict.
    """
    parent = etl.get(app)
    base = etl.images(app, parent.id)
    with app.db.read() as connection:
        classes = _with_accepted(connection, parent)
    reviewed, gone = _reviewed(app, classes, base)
    lost = {row["key"] for row in gone}
    base = [image for image in base if image.key not in lost]
    reviewed = _with_copies(app, base, reviewed)
    revision = with_reviewed(base, reviewed)
    shown = {image.class_index for image in revision.images if image.split == TRAIN} | set(range(len(parent.classes)))
    if len(shown) < len(classes):
        used = [name for index, name in enumerate(classes) if index in shown]
        revision = with_reviewed(base, [_renumbered(image, classes, used) for image in reviewed])
        classes = tuple(used)
    trained = {(image.sha256, image.class_index) for image in base if image.split == TRAIN}
    added = sum(image.split == TRAIN and (image.sha256, image.class_index) not in trained for image in revision.images)
    facts = [{(i.split, i.sha256, i.class_index) for i in images} for images in (base, revision.images)]
    if added < min_labels or facts[0] == facts[1]:
        raise Conflict(_too_few(added, max(1, min_labels), len(reviewed) - revision.added))
    return etl.record(
        app,
        classes,
        revision.images,
        source=f"{_loaded_from(app, parent)}, with reviewed labels",
        generated=parent.generated,
        skipped=[{"name": row["name"], "reason": row["reason"]} for row in gone],
        parent=parent.id,
        new_labels=added,
        corrections=[_in_words(correction, classes) for correction in revision.corrections],
    )


def _too_few(added: int, needed: int, sealed: int) -> str:
    kept = f" {sealed} reviewed images are test images or copies of them, which are never trained on." if sealed else ""
    return f"{added} new labels, but {needed} are needed: review more images of the pool first.{kept}"


def _reviewed(
    app: App, classes: Sequence[str], base: Sequence[LabelledImage]
) -> tuple[list[ReviewedImage], list[dict[str, str]]]:
    """The reviewed images of these classes or of none, newest first; and the missing ones, with reasons."""
    every, trained = review.reviewed(app), {image.sha256 for image in base if image.split == TRAIN}
    out = [row["image_sha256"] for row in every if row["status"] == Status.UNUSABLE]
    found = [ReviewedImage(image, "", None) for image in out if image in trained]
    gone: list[dict[str, str]] = []
    rows = [row for row in every if row["label"] == OTHER or row["label"] in classes]
    keys = bounded_map(lambda row: _stored(app, row), rows, app.backend.objects.at_once)
    for row, key in zip(rows, keys, strict=True):
        if isinstance(key, SconesError):
            name, lost = str(row["image"]), str(row["stored_key"] or "")
            gone.append({"name": name, "reason": f"reviewed, but {key}", "key": lost})
            continue
        index = None if row["label"] == OTHER else classes.index(row["label"])
        found.append(ReviewedImage(row["image_sha256"], key, index, made_from(row["image_key"]), row["copy_of"]))
    return found, gone


def _renumbered(image: ReviewedImage, classes: Sequence[str], used: Sequence[str]) -> ReviewedImage:
    """With its index in the classes used; none of the classes, if its own is not among them."""
    name = None if image.class_index is None else classes[image.class_index]
    return replace(image, class_index=used.index(name) if name in used else None)


def _stored(app: App, row: Mapping[str, Any]) -> str | SconesError:
    """The key of the reviewed image, or why it is missing: captures expire, and files get damaged."""
    try:
        return capture.stored_image(app, row["id"])
    except SconesError as error:
        return error


def _with_copies(app: App, base: Sequence[LabelledImage], reviewed: Sequence[ReviewedImage]) -> list[ReviewedImage]:
    """The same; new images that are copies of a test image name it."""
    known = {image.sha256 for image in base}
    new = [image for image in reviewed if image.sha256 not in known and image.copy_of is None]
    tests = [image for image in base if image.split == TEST] if new else []
    known_prints = _fingerprints(app, tests)
    if not tests or are_alike(known_prints):  # similarity is meaningless there
        return list(reviewed)
    places = find_copies(_fingerprints(app, new), known_prints)
    copies = {image.sha256: tests[place].key for image, place in zip(new, places, strict=True) if place >= 0}
    if copies:
        log.info("reviewed images are copies of test images", images=len(copies))
        with app.db.write() as connection:
            table.set_copies(connection, copies)
    return [replace(image, copy_of=copies.get(image.sha256, image.copy_of)) for image in reviewed]


def _fingerprints(app: App, images: Sequence[LabelledImage | ReviewedImage]) -> Fingerprints:
    """Shape (n, DIMENSIONS); zeros, which match nothing, for unreadable images."""
    objects = app.backend.objects

    def of(image: LabelledImage | ReviewedImage) -> Fingerprints:
        try:
            return fingerprint(decode(objects.get(image.key)))
        except SconesError:
            return np.zeros(DIMENSIONS, dtype=np.float32)

    rows = list(bounded_map(of, images, objects.at_once))
    return np.stack(rows) if rows else np.zeros((0, DIMENSIONS), dtype=np.float32)


def _in_words(correction: Correction, classes: Sequence[str]) -> dict[str, str]:
    now = "none of the classes" if correction.now is None else classes[correction.now]
    return {"key": correction.key, "was": classes[correction.was], "now": now}


def _loaded_from(app: App, version: DatasetVersion) -> str:
    """The source of the version at the root of the lineage."""
    return _loaded_from(app, etl.get(app, version.parent)) if version.parent else version.source


@logs.use_case
def start(app: App, *, min_labels: int = 1, seed: int = 0) -> TrainingJob:
    """Create the new dataset version and start training a challenger on it. Raises Conflict, NotFound."""
    if deployment.champion(app) is None:
        raise NotFound("No champion to compare with: train and deploy a first model.")
    dataset = new_dataset(app, min_labels=min_labels)
    return training.start(app, dataset=dataset.id, seed=seed)


def retrain(
    app: App, *, min_labels: int = 1, seed: int = 0, on_log: Callable[[str], None] = lambda _line: None
) -> Retrained:
    """`start`, wait for the challenger, and compare it with the champion."""
    job = start(app, min_labels=min_labels, seed=seed)
    registration.wait(app, job.name, on_log=on_log)
    challenger, champion = training.model_of_job(app, job.name), deployment.champion(app)
    if champion is None:
        raise NotFound(f"{challenger.id} is trained, but no champion is in service any more to compare it with.")
    training.evaluate(app, champion, challenger.dataset)
    dataset = etl.get(app, challenger.dataset)
    return Retrained(
        dataset,
        dataset.new_labels,
        challenger,
        champion,
        comparison(app, champion, challenger),
        held_out.comparison(app, champion, challenger),
    )


def comparison(app: App, champion: ModelVersion, challenger: ModelVersion) -> Comparison:
    """Both models on the same images: the test images of the challenger's dataset version, under its labels.

    The test split is sealed, so neither was trained on any of them.
    Raises Conflict if their classes differ, NotFound if one has not been evaluated on these images.
    """
    new = training.evaluation(app, challenger, challenger.dataset)
    old = training.evaluation(app, champion, challenger.dataset)
    predictions = [np.argmax(found.probabilities, axis=1).tolist() for found in (old, new)]
    return compare(new.labels, *predictions)
