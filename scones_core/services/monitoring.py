"""Figures of the Monitor page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scones_core.db import inferences as table
from scones_core.domain import confidence
from scones_core.errors import BadInput, NotFound
from scones_core.services import deployment, drift_standing, training
from scones_core.services.app import App
from scones_core.services.classification import class_name
from scones_core.services.drift_standing import DriftStanding
from scones_core.services.threshold import set_threshold as set_threshold
from scones_core.services.threshold import threshold as threshold

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class VariantFigures:
    """Captured inferences of one production variant. mean_confidence : in [0, 1]."""

    variant: str
    inferences: int
    low_confidence: int
    mean_confidence: float

    @property
    def low_share(self) -> float:
        return self.low_confidence / self.inferences


@dataclass(frozen=True)
class Figures:
    """Captured inferences since a time, at a threshold.

    points: one row per inference in the order of time, columns time (UTC), event_id, prediction (class name),
    confidence, low (at or below the threshold), trial (made by a model on trial).
    """

    inferences: int
    low_confidence: int
    threshold: float
    histogram: list[dict[str, float]]
    by_class: list[dict[str, Any]]
    by_variant: list[VariantFigures]
    drift: DriftStanding
    points: "pd.DataFrame"

    @property
    def low_share(self) -> float:
        return self.low_confidence / self.inferences if self.inferences else 0.0


def figures(app: App, *, since: datetime | None = None, at: float | None = None, model: str | None = None) -> Figures:
    """Figures of the captured inferences since a time (UTC), at a threshold (default: the current one).

    model : only inferences of this model version ("v3"), or of one kind ("imported", "undecided", "unknown").
    Drift is always that of the champion.
    """
    at = threshold(app) if at is None else at
    with app.db.read() as connection:
        data = table.frame(connection, since, model=model)
        names = table.class_lists(connection)
    confidences = data["confidence"].to_numpy(float)
    points = data.assign(prediction=_named(data, names), low=confidences <= at).drop(columns="class_list")
    return Figures(
        inferences=len(data),
        low_confidence=int((confidences <= at).sum()),
        threshold=at,
        histogram=confidence.histogram(confidences, at),
        by_class=_by_class(points),
        by_variant=by_variant(app, since=since, at=at),
        drift=drift_standing.standing(app),
        points=points,
    )


def _named(data: "pd.DataFrame", names: Mapping[int, Sequence[str]]) -> "pd.Categorical":
    """The predictions by name, each in the class names of the model that made it."""
    lists, predictions = data["class_list"].to_numpy(), data["prediction"].to_numpy()
    pairs, codes = np.unique(np.stack([lists, predictions]), axis=1, return_inverse=True)
    spelled = [class_name(names.get(int(of), ()), int(index)) for of, index in pairs.T]
    known = list(dict.fromkeys(spelled))  # two models may share a class
    places = np.array([known.index(name) for name in spelled], dtype=int)
    import pandas as pd  # a quarter of a second, which the first page does without

    return pd.Categorical.from_codes(places[codes.ravel()] if len(data) else [], pd.Index(known, dtype=object))


def by_variant(app: App, *, since: datetime | None = None, at: float | None = None) -> list[VariantFigures]:
    """Captured inferences of the endpoint since a time (UTC), at a threshold (default: the current one), by name."""
    at = threshold(app) if at is None else at
    with app.db.read() as connection:
        rows = table.by_variant(connection, app.settings.endpoint, since, at)
    return [VariantFigures(*row) for row in rows]


def _by_class(points: "pd.DataFrame") -> list[dict[str, Any]]:
    groups = points.groupby("prediction", observed=True)
    return [
        {"class": str(name), "inferences": len(rows), "low_confidence": int(rows["low"].sum())} for name, rows in groups
    ]


def threshold_figures(app: App, value: float, *, level: float = 0.95) -> confidence.ThresholdFigures:
    """Coverage and risk of a threshold on the champion's labelled test images. Raises NotFound."""
    measured = champion_answers(app)
    return confidence.figures_at(value, measured.confidences, measured.correct, level)


def risk_coverage(app: App) -> list[dict[str, float | None]]:
    """Coverage and risk for thresholds from 0.5 to 0.99, on the champion's labelled test images."""
    measured = champion_answers(app)
    steps = [confidence.figures_at(t / 100, measured.confidences, measured.correct, 0.95) for t in range(50, 100)]
    return [{"threshold": f.threshold, "coverage": f.coverage, "risk": f.risk} for f in steps]


def propose_threshold(
    app: App, *, max_risk: float, level: float, held_out: "Measured | None" = None
) -> confidence.ThresholdFigures:
    """The lowest threshold that keeps the risk at `max_risk` with confidence `level`, for images like the test images.

    held_out : answers to training images by models that had not seen them, to rest on beside the test images.
    Raises BadInput, NotFound.
    """
    if not (0 < max_risk < 1 and 0 < level < 1):
        raise BadInput("Risk and confidence must be between 0 and 1, such as 0.05 and 0.95.")
    parts = [champion_answers(app), *([held_out] if held_out else [])]
    confidences, correct = (
        np.concatenate([getattr(one, name) for one in parts]) for name in ("confidences", "correct")
    )
    found = confidence.propose_threshold(confidences, correct, max_risk=max_risk, level=level)
    if found is None:
        raise NotFound(
            f"No threshold keeps the error rate at {max_risk:.1%} with confidence {level:.0%} on the "
            f"{len(correct):,} test images: allow more errors or less confidence, or load more test images."
        )
    return found


@dataclass(frozen=True)
class Measured:
    """The champion on its labelled test images.  confidences : shape (n,); correct : bool, shape (n,)."""

    model: str
    test_set: str
    confidences: confidence.Floats
    correct: NDArray[np.bool_]


def measured_on(app: App) -> tuple[str, str, int]:
    """(model version, test set, test images) behind the threshold's figures. Raises NotFound."""
    measured = champion_answers(app)
    return measured.model, measured.test_set, len(measured.correct)


def champion_answers(app: App) -> Measured:
    """The champion's answers to its labelled test images. Raises NotFound."""
    champion = deployment.champion(app)
    if champion is None:
        raise NotFound("No model is deployed yet: deploy one first.")
    found = training.evaluation(app, champion, champion.dataset)
    probabilities = np.asarray(found.probabilities, dtype=float)
    correct = probabilities.argmax(axis=1) == np.asarray(found.labels)
    return Measured(champion.id, found.dataset.test_set, probabilities.max(axis=1), correct)
