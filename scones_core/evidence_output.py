"""JSON documents of the commands on evidence."""

import math
from dataclasses import asdict
from typing import Any

from scones_core.cli_output import Document
from scones_core.domain.audit import Estimate
from scones_core.domain.models import ModelVersion
from scones_core.services import App, audits, calibration, drift_standing, etl, expectation, held_out
from scones_core.services.audits import Audited
from scones_core.services.promises import ProductionPromise
from scones_core.services.slices import WeakSlice, WeakSlices
from scones_core.services.training import model as model_version


def audit(app: App, found: Audited) -> Document:
    """An audit, and what it says so far: figures are null before the first answer."""
    of, figures = found.audit, audits.measured(app, found)
    said: dict[str, Any] = dict.fromkeys(("accuracy", "interval", "risk_accepted", "risk_interval"))
    if figures:
        classes = model_version(app, of.model).classes
        said = {
            "accuracy": figures.accuracy.value,
            "interval": figures.accuracy.interval,
            "risk_accepted": figures.risk_accepted and figures.risk_accepted.value,
            "risk_interval": figures.risk_accepted and figures.risk_accepted.interval,
            "recall": {name: _estimate(figures.recall[index]) for index, name in enumerate(classes)},
            "other": _estimate(figures.other),
            "unknown": _estimate(figures.unknown),
            "mean_confidence": figures.mean_confidence,
            "confidence_gap": figures.confidence_gap,
            "reliability": [
                {"confidence": one.confidence, **(_estimate(one.accuracy) or {})} for one in figures.reliability
            ],
            "ece": figures.ece,
            "ece_interval": figures.ece_interval,
            "ece_by_chance": figures.ece_by_chance,
            "confidence_brier": _estimate(figures.confidence_brier),
        }
    return {
        "audit": of.id,
        "kind": str(of.kind),
        "model": of.model,
        "labels": of.labels,
        "decided": of.decided,
        "inferences": of.inferences,
        "since": of.since,
        "until": of.until,
        "cut": of.cut,
        "seed": of.seed,
        "extensions": [asdict(one) for one in of.extensions],
        "queue": of.queue,
        **said,
    }


def _estimate(estimate: Estimate | None) -> Document | None:
    return None if estimate is None else asdict(estimate)


def drift(app: App) -> Document:
    """What the drift watch says; expected_accuracy is null unless confidences may be believed."""
    expected = expectation.expected_accuracy(app)
    return {**asdict(drift_standing.standing(app)), "expected_accuracy": _estimate(expected)}


def promise(found: ProductionPromise) -> Document:
    """What the audits promise about production; threshold is null while they promise nothing."""
    return {
        "about": "production",
        "threshold": found.found and found.found.threshold,
        "coverage": found.coverage,
        "risk": found.found and found.found.risk,
        "risk_upper_bound": found.found and found.found.risk_upper_bound,
        "labels_used": found.labels_used,
        "labels_needed": found.labels_needed,
        "audits": list(found.audits),
        "cut": found.cut,
    }


def model(app: App, version: ModelVersion) -> Document:
    """A model version with its data, and its accuracy and calibration on its sealed test images."""
    dataset, accuracy = etl.get(app, version.dataset), version.accuracy
    figures = calibration.of_model(app, version).figures
    return {
        "model": version.id,
        "artifact_sha256": version.artifact_sha256,
        "training_job": version.training_job,
        "dataset": version.dataset,
        "classes": list(version.classes),
        "train": dataset.train,
        "pool": dataset.pool,
        "test": dataset.test,
        "test_set": dataset.test_set,
        "accuracy": accuracy.value,
        "accuracy_interval": (accuracy.low, accuracy.high),
        "ece": figures.ece,
        "ece_interval": figures.ece_interval,
        "ece_by_chance": figures.ece_by_chance,
        "brier": figures.brier,
        "confidence_brier": figures.confidence_brier,
        "reliability": [{"confidence": one.confidence, **asdict(one.accuracy)} for one in figures.bins],
        "held_out": _held_out(app, version),
    }


def _held_out(app: App, version: ModelVersion) -> Document | None:
    """Its calibration on training images, in cross-validation."""
    found = held_out.calibration_figures(app, version)
    names = ("images", "ece", "ece_interval", "ece_by_chance")
    return None if found is None else {name: getattr(found, name) for name in names}


def slices(found: WeakSlices) -> Document:
    """The slices of a model, the most certain first; bounds are null at the ends and for a category."""
    return {
        "model": found.model,
        "test_set": found.test_set,
        "test_images": found.tests,
        "captured_images": found.drawn,
        "traffic": found.traffic,
        "slices": [_slice(one) for one in found.slices],
    }


def _slice(one: WeakSlice) -> Document:
    of = one.slice
    return {
        "name": of.name,
        "attribute": of.attribute,
        "part": of.part,
        "above": _finite(of.above),
        "up_to": _finite(of.up_to),
        "images": of.images,
        "wrong": of.wrong,
        "error_rate": of.rate,
        "interval": (of.low, of.high),
        "rest": of.rest,
        "rest_error_rate": of.rest_rate,
        "adjusted_p": of.p_value,
        "stands_out": of.found,
        "share_of_traffic": one.share,
    }


def _finite(bound: float | None) -> float | None:
    return None if bound is None or math.isinf(bound) else bound
