"""The guided demo: the whole loop once, with a scripted reviewer that uses the known labels."""

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

REVIEWER = "demo"
REVIEWS = 20  # most images the scripted reviewer labels
POOL_SHARE = 0.2  # for the user's own images


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
class Told:
    """A finished stage and its result, the return value of its use case."""

    stage: Stage
    result: Any


def run(
    app: App,
    *,
    source: str = "sample",
    images: int = 60,
    classes: Sequence[str] | None = None,
    replace: bool = False,
    progress: Progress = silent,
    on_log: Callable[[str], None] = lambda _line: None,
) -> Iterator[Told]:
    """Run the loop, yielding after each stage. Raises what the stages raise.

    The user's own images get a pool too, as the demo sends and reviews pool images.
    replace : if False, raises Conflict if a model is in service, which the demo would replace.
    """
    check(app, replace=replace)
    loaded = etl.load(app, source, classes=classes, default_share=POOL_SHARE, progress=progress)
    yield Told(Stage.ETL, loaded)
    job = training.start(app)
    registration.wait(app, job.name, on_log=on_log)
    yield Told(Stage.TRAIN, training.model_of_job(app, job.name))
    yield Told(Stage.DEPLOY, deployment.deploy(app, training.model_of_job(app, job.name).id, actor=REVIEWER))
    keys = classification.sample_keys(app, images, seed=0)
    yield Told(Stage.CLASSIFY, classification.classify(app, keys, progress=progress))
    yield Told(Stage.INGEST, capture.ingest(app, progress=progress))
    yield Told(Stage.MONITOR, monitoring.figures(app))
    yield Told(Stage.REVIEW, review_by_known_labels(app))
    retrained = retraining.retrain(app, on_log=on_log)
    yield Told(Stage.RETRAIN, retrained)
    if retrained.comparison.verdict is not Verdict.WORSE:
        yield Told(Stage.PROMOTE, deployment.promote(app, retrained.challenger.id, actor=REVIEWER))


def check(app: App, *, replace: bool) -> None:
    """Raises Conflict if a model is in service and `replace` is False."""
    serving = deployment.endpoint(app)
    if serving and not replace:
        raise Conflict(
            f"{serving.config.model} is in service on “{serving.name}”, and the demo would replace it and the current "
            "dataset: confirm with --replace, or use another home (--home)."
        )


def review_by_known_labels(app: App, *, count: int = REVIEWS) -> list[review.Recorded]:
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
    return [
        review.decide(app, id, dataset.classes[known[sha]] if sha in known else None, REVIEWER, note="known label")
        for id, sha in images.items()
    ]
