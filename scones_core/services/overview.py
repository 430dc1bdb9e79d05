"""Where the loop stands, and what to do next."""

from dataclasses import dataclass

from scones_core.services import capture, deployment, etl, retraining, review, training
from scones_core.services.app import App

ENOUGH_LABELS = 3  # new labels from which a retraining is proposed


@dataclass(frozen=True)
class Step:
    """What to do next: a sentence, and the page and command where it is done."""

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


def status(app: App) -> LoopStatus:
    """What exists and what to do next."""
    dataset, endpoint = etl.current(app), deployment.endpoint(app)
    champion, challenger = deployment.champion(app), deployment.challenger(app)
    captured, pending = capture.captured(app), review.queue(app).pending
    labels = len(retraining.new_labels(app))
    return LoopStatus(
        backend=app.backend.name,
        dataset=dataset.id if dataset else None,
        champion=champion.id if champion else None,
        challenger=challenger.id if challenger else None,
        endpoint=endpoint.name if endpoint else None,
        captured=captured,
        pending_review=pending,
        labels_since_training=labels,
        next=_next(app, bool(dataset), bool(champion), bool(challenger), captured, pending, labels),
    )


def _next(app: App, dataset: bool, champion: bool, challenger: bool, captured: int, pending: int, labels: int) -> Step:
    if not dataset:
        return Step("Load images to train on.", "data", "etl --source sample")
    if not champion:
        if training.models(app):
            return Step("Deploy the trained model.", "train", "deploy")
        if training.measuring(app) or any(not job.status.ended for job in training.jobs(app)):
            return Step("Wait for the training job to end, then deploy its model.", "train", "status")
        return Step("Train a first model.", "train", "train")
    if challenger:
        return Step("Compare the challenger with the champion, and decide on its promotion.", "models", "promote")
    if not captured:
        return Step("Send test images through the workflow.", "workflow", "classify --sample 20")
    if labels >= ENOUGH_LABELS:
        return Step(f"Retrain with {labels} new labels.", "models", "retrain")
    if pending:
        return Step(
            f"Review {pending} low-confidence image{'s' * (pending > 1)}.", "review", "review next --reviewer YOU"
        )
    return Step("Send more images through the workflow.", "workflow", "classify --sample 20")
