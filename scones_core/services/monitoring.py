"""The figures of the Monitor page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from scones_core.db import inferences as table
from scones_core.db import settings
from scones_core.domain import confidence
from scones_core.domain.drift import Drift, DriftLevel, drift
from scones_core.errors import BadInput, NotFound
from scones_core.services import deployment, training
from scones_core.services.app import App
from scones_core.services.classification import class_name, class_names

RECENT = 200  # inferences that drift is judged on: older ones would dilute what has just begun


@dataclass(frozen=True)
class VariantFigures:
    """What was captured of one production variant. mean_confidence : in [0, 1]."""

    variant: str
    inferences: int
    low_confidence: int
    mean_confidence: float

    @property
    def low_share(self) -> float:
        return self.low_confidence / self.inferences


@dataclass(frozen=True)
class Figures:
    """What was captured since a time, at a threshold.

    points: one row per inference in the order of time, columns time (UTC), event_id, prediction (class name),
    confidence, low (at or below the threshold), trial (who answered was on trial).
    """

    inferences: int
    low_confidence: int
    threshold: float
    histogram: list[dict[str, float]]
    by_class: list[dict[str, Any]]
    by_variant: list[VariantFigures]
    drift: Drift
    points: pd.DataFrame

    @property
    def low_share(self) -> float:
        return self.low_confidence / self.inferences if self.inferences else 0.0


def threshold(app: App) -> float:
    """The threshold in force."""
    with app.db.read() as connection:
        stored = settings.get(connection, "threshold")
    return confidence.DEFAULT_THRESHOLD if stored is None else float(stored)


def set_threshold(app: App, value: float, *, actor: str = "") -> float:
    """Set the threshold, here and in the filtering function. Raises BadInput outside [0, 1)."""
    if not 0 <= value < 1:
        raise BadInput(f"The threshold {value} is not at least 0 and below 1: a usual value is 0.93.")
    app.backend.workflows.configure({"THRESHOLD": repr(float(value))})
    with app.db.write() as connection:
        settings.put(connection, "threshold", float(value), actor)
    return value


def figures(app: App, *, since: datetime | None = None, at: float | None = None) -> Figures:
    """Figures of all captured inferences since a time (UTC), at a threshold (default: the one in force)."""
    at = threshold(app) if at is None else at
    with app.db.read() as connection:
        data = table.frame(connection, since)
    names, champions = class_names(app), ~data["trial"].to_numpy(bool)
    predictions, confidences = data["prediction"].to_numpy(int), data["confidence"].to_numpy(float)
    known = [class_name(names, index) for index in range(max(len(names), int(predictions.max(initial=-1)) + 1))]
    classes = pd.Categorical.from_codes(predictions, pd.Index(known))
    points = data.assign(prediction=classes, low=confidences <= at)
    return Figures(
        inferences=len(data),
        low_confidence=int((confidences <= at).sum()),
        threshold=at,
        histogram=confidence.histogram(confidences),
        by_class=_by_class(points),
        by_variant=by_variant(app, since=since, at=at),
        drift=_drift(app, confidences[champions][-RECENT:], predictions[champions][-RECENT:]),
        points=points,
    )


def by_variant(app: App, *, since: datetime | None = None, at: float | None = None) -> list[VariantFigures]:
    """Captured inferences of the endpoint since a time (UTC), at a threshold (default: the one in force), by name."""
    at = threshold(app) if at is None else at
    with app.db.read() as connection:
        rows = table.by_variant(connection, app.settings.endpoint, since, at)
    return [VariantFigures(*row) for row in rows]


def _by_class(points: pd.DataFrame) -> list[dict[str, Any]]:
    groups = points.groupby("prediction", observed=True)
    return [
        {"class": str(name), "inferences": len(rows), "low_confidence": int(rows["low"].sum())} for name, rows in groups
    ]


def _drift(app: App, confidences: np.ndarray[Any, Any], predictions: np.ndarray[Any, Any]) -> Drift:
    champion = deployment.champion(app)
    if champion is None:
        return Drift(DriftLevel.UNKNOWN, recent=len(confidences))
    _, rows = training.evaluation(app, champion, champion.dataset)
    reference = np.asarray(rows, dtype=float)
    classes = max(reference.shape[1], int(predictions.max(initial=0)) + 1)
    return drift(
        reference.max(axis=1), confidences, reference.argmax(axis=1).tolist(), predictions.tolist(), classes=classes
    )


def threshold_figures(app: App, value: float, *, level: float = 0.95) -> confidence.ThresholdFigures:
    """Coverage and risk of a threshold on the champion's labelled test images. Raises NotFound."""
    return confidence.figures_at(value, *_labelled(app), level)


def risk_coverage(app: App) -> list[dict[str, float | None]]:
    """Coverage and risk for thresholds from 0.5 to 0.99, on the champion's labelled test images."""
    confidences, correct = _labelled(app)
    steps = [confidence.figures_at(t / 100, confidences, correct, 0.95) for t in range(50, 100)]
    return [{"threshold": f.threshold, "coverage": f.coverage, "risk": f.risk} for f in steps]


def propose_threshold(app: App, *, max_risk: float, level: float) -> confidence.ThresholdFigures:
    """The lowest threshold that keeps the risk at `max_risk` with confidence `level`. Raises BadInput, NotFound."""
    if not (0 < max_risk < 1 and 0 < level < 1):
        raise BadInput("The risk and the confidence must lie between 0 and 1, as 0.05 and 0.95.")
    found = confidence.propose_threshold(*_labelled(app), max_risk=max_risk, level=level)
    if found is None:
        raise NotFound(
            f"No threshold keeps the error rate at {max_risk:.1%} with confidence {level:.0%} on the labels there are: "
            "allow more risk, or label more images."
        )
    return found


def _labelled(app: App) -> tuple[Any, Any]:
    champion = deployment.champion(app)
    if champion is None:
        raise NotFound("No model is deployed yet: deploy one first, so that there are answers to measure.")
    labels, rows = training.evaluation(app, champion, champion.dataset)
    probabilities = np.asarray(rows, dtype=float)
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == np.asarray(labels)
