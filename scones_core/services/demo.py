"""The guided demo: the whole loop once, with a scripted reviewer that uses the known labels.

It starts from a small base of labelled images, as projects do, so that the reviewed images make a difference.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scones_core.db import datasets as table
from scones_core.domain.comparison import Verdict
from scones_core.errors import Conflict
from scones_core.services import (
    capture,
    classification,
    deployment,
    etl,
    monitoring,
    registration,
    retraining,
    review,
    training,
)
from scones_core.services.app import App, Progress, silent
from scones_core.services.standing_labels import Recorded

REVIEWER = "demo"
BASE = 20  # images of each class that the first model is trained on; the other training images become pool
IMAGES = 300  # sent through the workflow
REVIEWS = 100  # most images the scripted reviewer labels


class Stage(StrEnum):
    ETL = "etl"
    TRAIN = "train"
    DEPLOY = "deploy"
    CLASSIFY = "classify"
    INGEST = "ingest"
    MONITOR = "monitor"
    REVIEW = "review"
    RETRAIN = "retrain"
    PROMOTE = "promote"


@dataclass(frozen=True)
class StageResult:
    """A finished stage and its result, the return value of its use case."""

    stage: Stage
    result: Any


def run(
    app: App,
    *,
    source: str = "sample",
    images: int = IMAGES,
    classes: Sequence[str] | None = None,
    replace: bool = False,
    progress: Progress = silent,
    on_log: Callable[[str], None] = lambda _line: None,
) -> Iterator[StageResult]:
    """Run the loop, yielding after each stage. Raises what the stages raise.

    The last stage's result is the endpoint: the first model stays in service unless the second is significantly better.
    replace : if False, raises Conflict if a model is in service, which the demo would replace.
    """
    check(app, replace=replace)
    yield StageResult(Stage.ETL, etl.load(app, source, classes=classes, base=BASE, progress=progress))
    job = training.start(app)
    registration.wait(app, job.name, on_log=on_log)
    first = training.model_of_job(app, job.name)
    yield StageResult(Stage.TRAIN, first)
    yield StageResult(Stage.DEPLOY, deployment.deploy(app, first.id, actor=REVIEWER))
    keys = classification.sample_keys(app, images, seed=0)
    yield StageResult(Stage.CLASSIFY, classification.classify(app, keys, progress=progress))
    yield StageResult(Stage.INGEST, capture.ingest(app, progress=progress))
    yield StageResult(Stage.MONITOR, monitoring.figures(app))
    yield StageResult(Stage.REVIEW, review_by_known_labels(app, progress=progress))
    retrained = retraining.retrain(app, on_log=on_log)
    yield StageResult(Stage.RETRAIN, retrained)
    if retrained.comparison.verdict is Verdict.BETTER:
        deployment.promote(app, retrained.challenger.id, actor=REVIEWER)
    yield StageResult(Stage.PROMOTE, deployment.get_endpoint(app))


def check(app: App, *, replace: bool) -> None:
    """Raises Conflict if a model is in service and `replace` is False."""
    serving = deployment.endpoint(app)
    if serving and not replace:
        raise Conflict(
            f"{serving.config.model} is in service on “{serving.name}”, and the demo would replace it and the current "
            "dataset: confirm with --replace, or use another home (--home)."
        )


def review_by_known_labels(app: App, *, count: int = REVIEWS, progress: Progress = silent) -> list[Recorded]:
    """Label the least confident images with their labels in the dataset; images without one are skipped.

    Raises Conflict if nothing is left to review.
    """
    dataset = etl.get(app)
    items = review.next_items(app, REVIEWER, count=count)
    if not items:
        raise Conflict("No captured images left to review: send more images through the workflow.")
    images = {item.id: capture.inference(app, item.id)["image_sha256"] for item in items}
    with app.db.read() as connection:
        known = table.known_labels(connection, dataset.id, list(images.values()))
    decided = []
    for done, (id, sha) in enumerate(images.items()):
        progress(done, len(images), "images reviewed")
        label = dataset.classes[known[sha]] if sha in known else None
        decided.append(review.decide(app, id, label, REVIEWER, note="known label"))
    return decided
