"""State of the loop and the next step: one query of the endpoint, five of the database."""

from dataclasses import dataclass

import sqlalchemy as sa

from scones_core.db import datasets, reviews, settings
from scones_core.db import models as models_table
from scones_core.db.counts import counted
from scones_core.domain.confidence import DEFAULT_THRESHOLD
from scones_core.domain.datasets import DatasetVersion
from scones_core.domain.models import JobState, ModelVersion
from scones_core.services import deployment
from scones_core.services.app import App
from scones_core.services.deployment import InService
from scones_core.services.review_figures import QueueFigures, queue_figures

ENOUGH_LABELS = 3  # new labels at which retraining is suggested


@dataclass(frozen=True)
class Step:
    """The next step: a sentence, its page and its command."""

    text: str
    page: str
    command: str


@dataclass(frozen=True)
class LoopStatus:
    backend: str
    dataset: str | None
    champion: str | None
    challenger: str | None
    endpoint: str | None
    captured: int
    pending_review: int
    labels_since_training: int
    next: Step


@dataclass(frozen=True)
class Overview:
    """Data of the Overview page. open_jobs : training jobs that run, or whose models are being registered."""

    status: LoopStatus
    dataset: DatasetVersion | None
    serving: InService
    threshold: float
    queue: QueueFigures
    open_jobs: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been brought into the home yet."""
        return self.dataset is None and not self.status.captured


def status(app: App) -> LoopStatus:
    """What exists, and the next step."""
    return overview(app).status


def overview(app: App) -> Overview:
    """The current state of the loop."""
    endpoint = deployment.endpoint(app)
    with app.db.read() as connection:
        chosen = settings.all_of(connection)
        threshold = float(chosen.get("threshold", DEFAULT_THRESHOLD))
        dataset = datasets.version(connection, chosen.get("dataset"))
        serving = InService(endpoint, models_table.model_list(connection))
        captured, pending, labels, open_jobs, counts = _counts(connection, dataset, threshold)
    queue = queue_figures(pending, counts)
    champion, challenger = serving.champion, serving.challenger
    found = LoopStatus(
        backend=app.backend.name,
        dataset=dataset.id if dataset else None,
        champion=champion.id if champion else None,
        challenger=challenger.id if challenger else None,
        endpoint=endpoint.name if endpoint else None,
        captured=captured,
        pending_review=pending,
        labels_since_training=labels,
        next=_next(dataset, serving.champion, serving, captured, pending, labels, open_jobs),
    )
    return Overview(found, dataset, serving, threshold, queue, open_jobs)


def _counts(
    connection: sa.Connection, dataset: DatasetVersion | None, threshold: float
) -> tuple[int, int, int, int, dict[str, int]]:
    """Captured inferences, images pending review, new labels, open jobs, images by status; in one statement."""
    labels = reviews.trainable(dataset.id, dataset.classes) if dataset else sa.select(sa.literal(0))
    figures = {
        "captured": counted(),
        "pending": reviews.pending(threshold),
        "labels": labels,
        "open": models_table.jobs_in(JobState.OPEN),
    }
    parts = [sa.select(sa.literal(name), query.scalar_subquery()) for name, query in figures.items()]
    rows: dict[str, int] = dict(connection.execute(sa.union_all(*parts, reviews.by_status())).all())
    return rows.pop("captured"), rows.pop("pending"), rows.pop("labels"), rows.pop("open"), rows


def _next(
    dataset: DatasetVersion | None,
    champion: ModelVersion | None,
    serving: InService,
    captured: int,
    pending: int,
    labels: int,
    open_jobs: int,
) -> Step:
    if not dataset:
        return Step("Load images to train on.", "data", "etl --source sample")
    if not champion:
        return _first_model(serving, open_jobs)
    if serving.challenger:
        return Step("Compare the challenger with the champion and decide whether to promote it.", "models", "promote")
    if not captured:
        return Step("Send images through the workflow.", "workflow", "classify --sample 20")
    if labels >= ENOUGH_LABELS:
        return Step(f"Retrain with {labels} new labels.", "models", "retrain")
    if pending:
        return Step(
            f"Review {pending} low-confidence image{'s' * (pending > 1)}.", "review", "review next --reviewer YOU"
        )
    return Step("Send more images through the workflow.", "workflow", "classify --sample 20")


def _first_model(serving: InService, open_jobs: int) -> Step:
    if serving.models:
        return Step("Deploy the trained model.", "train", "deploy")
    if open_jobs:
        return Step("Wait for the training job to end, then deploy its model.", "train", "deploy")
    return Step("Train a first model.", "train", "train")
