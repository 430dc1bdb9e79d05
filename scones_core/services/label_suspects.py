"""Labels that are probably wrong: those that held-out models contradict most, as a review queue.

Reference
---------
[NOR21] Northcutt, Jiang, Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70 (2021)
        (ranking by self-confidence, the held-out probability of the given label).
"""

import mimetypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, overload

import numpy as np

from scones_core import logs
from scones_core.db import inferences as inferences_table
from scones_core.db import label_checks as table
from scones_core.db import queues as queue_table
from scones_core.db import reviews
from scones_core.domain.attribution import Attribution
from scones_core.domain.capture import Inference
from scones_core.domain.datasets import TEST, DatasetVersion, LabelledImage
from scones_core.domain.models import ModelVersion
from scones_core.domain.review import Strategy
from scones_core.errors import Conflict, NotFound
from scones_core.services import embedding_store, etl, queues, training
from scones_core.services.app import App, Progress, silent
from scones_core.services.queues import QueueEntry, ReviewQueue


@dataclass(frozen=True)
class Suspect:
    """An image whose label is doubted. probabilities : held out, by class index of the model."""

    image: LabelledImage
    label: str
    probabilities: tuple[float, ...]
    self_confidence: float


@dataclass(frozen=True)
class Suspects:
    """The labels doubted, the most doubtful first. checked : training and test images with held-out answers."""

    checked: int
    suspects: Sequence[Suspect]


Answers = list[tuple[LabelledImage, Sequence[float]]]


def trained_on(app: App, version: DatasetVersion) -> ModelVersion | None:
    """The newest model trained on a dataset version."""
    return next((model for model in training.models(app) if model.dataset == version.id), None)


def suspects(app: App, version: DatasetVersion, model: ModelVersion) -> Suspects:
    """Among the train and test images of a dataset version, by a model trained on it.

    Only images whose held-out prediction differs from their label, and whose label no reviewer has given or confirmed.
    With the embedded classifier, three more trainings give a second opinion (`vision.label_doubt`).
    """
    held_out = training.held_out(app, model)
    answers = _second_answers(app, version, model, held_out) if held_out else _test_answers(app, model)
    with app.db.read() as connection:
        settled = {row["image_sha256"]: row["review_label"] for row in reviews.reviewed(connection)}
    found = []
    for image, p in answers:
        label = version.classes[image.class_index]
        if model.classes[int(np.argmax(p))] != label and settled.get(image.sha256) != label:
            found.append(Suspect(image, label, tuple(p), p[model.classes.index(label)]))
    return Suspects(len(answers), sorted(found, key=lambda one: (one.self_confidence, one.image.key)))


def _second_answers(
    app: App, version: DatasetVersion, model: ModelVersion, held_out: Sequence[tuple[LabelledImage, Sequence[float]]]
) -> Answers:
    # They take a second to import, and most pages only list the queues.
    from scones_core.vision.hyperparameters import Hyperparameters
    from scones_core.vision.label_doubt import second_opinions

    train, tests = [image for image, _ in held_out], etl.images(app, version.id, TEST)
    settings = Hyperparameters.parse({name: str(value) for name, value in model.hyperparameters.items()})
    known = embedding_store.vectors(app, [image.sha256 for image in (*train, *tests)])
    labels = [model.classes.index(version.classes[image.class_index]) for image in train]
    of_train, of_tests = second_opinions(
        _Files(app, train),
        labels,
        model.classes,
        np.array([p for _, p in held_out]),
        others=_Files(app, tests),
        seed=settings.seed,
        side=settings.side,
        options=settings.options,
        known=known,
    )
    return list(zip((*train, *tests), (*of_train.tolist(), *of_tests.tolist()), strict=True))


class _Files(Sequence[bytes]):
    """The files of images, each read when it is asked for."""

    def __init__(self, app: App, images: Sequence[LabelledImage]) -> None:
        self._app, self._images = app, images

    def __len__(self) -> int:
        return len(self._images)

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> "_Files": ...
    def __getitem__(self, place: int | slice) -> "bytes | _Files":
        if isinstance(place, slice):
            return _Files(self._app, self._images[place])
        return etl.image(self._app, self._images[place].key)


def _test_answers(app: App, model: ModelVersion) -> Answers:
    """Test images are never trained on: the model's own answers are held out."""
    try:
        evaluation = training.evaluation(app, model, model.dataset)
    except NotFound:
        return []
    order = [evaluation.dataset.classes.index(name) for name in model.classes]
    rows = [[row[i] for i in order] for row in evaluation.probabilities]
    return list(zip(etl.images(app, model.dataset, TEST), rows, strict=True))


@logs.use_case
def make_queue(app: App, name: str, *, size: int, by: str, reviewers: int = 1, progress: Progress = silent) -> int:
    """Create a review queue of the most doubtful labels of the current dataset version; returns its id.

    What reviewers decide there enters the next dataset version (`retraining.new_dataset`). Raises NotFound without a
    model trained on this version, Conflict if no label is doubted.
    """
    version = etl.get(app)
    model = trained_on(app, version)
    if model is None:
        raise NotFound("No model has been trained on the current dataset version: train one to check its labels.")
    progress(0, None, "checking labels")
    found = suspects(app, version, model)
    if not found.suspects:
        raise Conflict(f"{model.id} contradicts none of the {found.checked:,} labels that nobody has confirmed yet.")
    chosen = list({one.image.sha256: one for one in reversed(found.suspects)}.values())[::-1][:size]
    with app.db.write() as connection:
        classes = inferences_table.class_list_ids(connection, [model.classes])[model.classes]
        new = queue_table.unknown(connection, Strategy.LABEL_ERRORS, [_id(model, one) for one in chosen])
        table.add(connection, [_check(model, one, classes) for one in chosen if _id(model, one) in new])
    entries = [QueueEntry(_id(model, one), _why(one)) for one in chosen]
    made_from = {"dataset": version.id, "model": model.id, "checked": found.checked, "size": size}
    draft: dict[str, Any] = {"strategy": Strategy.LABEL_ERRORS, "by": by, "filter": made_from, "again": True}
    return queues.create(app, name, entries, reviewers=reviewers, **draft)


def queues_of(app: App, version: DatasetVersion) -> Iterable[ReviewQueue]:
    """The queues of suspected labels of a dataset version, newest first."""
    every = queues.queues(app)
    return [one for one in every if one.strategy is Strategy.LABEL_ERRORS and one.filter.get("dataset") == version.id]


def _id(model: ModelVersion, one: Suspect) -> str:
    return f"label-{model.id}-{one.image.sha256[:40]}"


def _why(one: Suspect) -> str:
    return f"Suspected label: {one.label.replace('_', ' ')} ({one.image.split}), held-out {one.self_confidence:.1%}"


def _check(model: ModelVersion, one: Suspect, class_list: int) -> dict[str, Any]:
    """The row of a label check."""
    kind = mimetypes.guess_type(one.image.key)[0] or "application/x-image"
    said = Inference(_id(model, one), datetime.now(UTC), one.image.sha256, kind, one.probabilities)
    return {
        "event_id": said.event_id,
        "time": said.time,
        "endpoint": "",
        "variant": "",
        "image_key": one.image.key,
        "image_sha256": said.image_sha256,
        "content_type": kind,
        "probabilities": list(said.probabilities),
        **{name: getattr(said, name) for name in ("prediction", "confidence", "margin", "entropy")},
        "capture_key": "",
        "capture_line": 0,
        "model": model.number,
        "class_list": class_list,
        "attribution": str(Attribution.MODEL),
    }
