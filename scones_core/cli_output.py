"""JSON documents of the commands, built from the results of use cases."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from scones_core.domain.attribution import Maker
from scones_core.domain.datasets import DatasetVersion
from scones_core.domain.models import ModelVersion
from scones_core.errors import BadInput
from scones_core.ports import Endpoint
from scones_core.services import App, classification, etl, monitoring, retraining
from scones_core.services import batch as batches

Document = Mapping[str, Any]


def dataset(version: DatasetVersion) -> Document:
    return {
        "dataset": version.id,
        "classes": list(version.classes),
        "train": version.train,
        "pool": version.pool,
        "test": version.test,
        "test_set": version.test_set,
        "corrections": list(version.corrections),
        "skipped": list(version.skipped),
        "source": version.source,
        "generated": version.generated,
        "parent": version.parent,
    }


def model(app: App, model: ModelVersion) -> Document:
    dataset = etl.get(app, model.dataset)
    return {
        "training_job": model.training_job,
        "status": "Completed",
        "model": model.id,
        "dataset": model.dataset,
        "seconds": model.seconds,
        "metrics": model.metrics,
        "test": dataset.test,
        "test_set": dataset.test_set,
    }


def endpoint(endpoint: Endpoint) -> Document:
    return {
        "endpoint": endpoint.name,
        "model": endpoint.config.model,
        "status": endpoint.status,
        "capture_percentage": endpoint.config.capture_percentage,
    }


def classified(found: list[classification.Classified]) -> Document:
    succeeded = sum(item.status == "SUCCEEDED" for item in found)
    return {
        "executions": [asdict(item) for item in found],
        "succeeded": succeeded,
        "failed": len(found) - succeeded,
    }


def figures(found: monitoring.Figures, makers: Sequence[Maker] = ()) -> Document:
    return {
        "inferences": found.inferences,
        "low_confidence": found.low_confidence,
        "low_share": found.low_share,
        "histogram": found.histogram,
        "by_class": found.by_class,
        "by_model": {maker.name: maker.inferences for maker in makers},
        "drift": asdict(found.drift),
        "threshold": found.threshold,
    }


def retrained(found: retraining.Retrained) -> Document:
    comparison = asdict(found.comparison)
    accuracy = {name: comparison.pop(f"{name}_accuracy") for name in ("champion", "challenger")}
    return {
        "dataset": found.dataset.id,
        "new_labels": found.new_labels,
        "test_set": found.dataset.test_set,
        "corrections": list(found.dataset.corrections),
        "challenger": found.challenger.id,
        "champion": found.champion.id,
        "comparison": {"accuracy": accuracy, **comparison},
        "held_out": asdict(found.held_out) if found.held_out else None,
    }


def batch(found: batches.Batch) -> Document:
    return {
        "execution": found.name,
        "status": str(found.status),
        "images": found.images,
        "accepted": found.accepted,
        "low_confidence": found.low_confidence,
        "errors": found.errors,
        "low_confidence_keys": list(found.low_confidence_keys),
        "error_keys": list(found.error_keys),
        "summary": found.summary_key,
        "seconds": found.seconds,
    }


def time_of(text: str | None) -> datetime | None:
    """A time given as an argument; UTC unless it names a zone. Raises BadInput."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"“{text}” is not a time: use the format 2025-10-04T08:44:11Z.") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
