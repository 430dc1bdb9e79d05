"""Figures of the Monitor page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from scones_core.db import inferences as table
from scones_core.db.schema import EPOCH
from scones_core.domain import confidence
from scones_core.domain.cells import histogram
from scones_core.domain.inference_filter import InferenceFilter, class_name
from scones_core.domain.models import TRIAL_VARIANT, ModelVersion
from scones_core.errors import BadInput, NotFound
from scones_core.services import deployment, drift_standing, held_out, training
from scones_core.services.app import App
from scones_core.services.counting import Counted, count
from scones_core.services.drift_standing import DriftStanding
from scones_core.services.threshold import set_threshold as set_threshold
from scones_core.services.threshold import threshold as threshold

if TYPE_CHECKING:
    import pandas as pd

MOST_POINTS = 2_000  # of a chart; beyond that, density
SEARCHED = 20_000  # inferences looked through for the points of a filter


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
class Period:
    """Inferences captured in [start, end), UTC, and those at or below the threshold."""

    start: datetime
    end: datetime
    inferences: int
    low_confidence: int


@dataclass(frozen=True)
class Figures:
    """Captured inferences that a filter leaves, at a threshold; all but `points` from counts.

    mean_confidence : in [0, 1]; None of nothing.  periods : oldest first, each of the same length; only those with any.
    points : at most `MOST_POINTS` of the newest in the order of time, one row each, columns time (UTC), event_id,
    prediction (class name), confidence, low (at or below the threshold), trial (made by a model on trial).
    counted : the counts themselves.
    """

    inferences: int
    low_confidence: int
    threshold: float
    mean_confidence: float | None
    histogram: list[dict[str, float]]
    by_class: list[dict[str, Any]]
    by_variant: list[VariantFigures]
    drift: DriftStanding
    periods: list[Period]
    counted: Counted
    points: "pd.DataFrame"

    @property
    def low_share(self) -> float:
        return self.low_confidence / self.inferences if self.inferences else 0.0


def figures(
    app: App,
    which: InferenceFilter | None = None,
    *,
    since: datetime | None = None,
    at: float | None = None,
    model: str | None = None,
) -> Figures:
    """Figures of the captured inferences that a filter leaves, at a threshold (default: the current one).

    since, model : a filter by these two, instead of `which`.  Drift is always that of the champion.
    """
    at = threshold(app) if at is None else at
    which = which or InferenceFilter(since=since, model=model)
    with app.db.read() as connection:
        found = count(connection, which, at)
        points = _points(connection, found)
    low = found.low.by_bin()
    return Figures(
        inferences=found.cells.total,
        low_confidence=found.low.total,
        threshold=at,
        mean_confidence=found.cells.mean,
        histogram=histogram(found.cells.by_bin(), low),
        by_class=_by_class(found),
        by_variant=_by_variant(found, app.settings.endpoint),
        drift=drift_standing.standing(app),
        periods=_periods(found),
        counted=found,
        points=points,
    )


def _by_class(found: Counted) -> list[dict[str, Any]]:
    low = found.by_class(found.low)
    every = sorted((name, count) for name, count in found.by_class(found.cells).items() if count)
    return [{"class": name, "inferences": count, "low_confidence": low.get(name, 0)} for name, count in every]


def _periods(found: Counted) -> list[Period]:
    low, length = found.per_period(found.low), timedelta(seconds=found.period)
    every = sorted(found.per_period(found.cells).items())
    return [
        Period(start := EPOCH + timedelta(microseconds=at), start + length, count, low.get(at, 0))
        for at, count in every
    ]


def _points(connection: sa.Connection, found: Counted) -> "pd.DataFrame":
    """The newest inferences of a filter, found by their counts."""
    conditions, _ = found.search(0, MOST_POINTS, SEARCHED)
    columns = ("time", "event_id", "prediction", "confidence", "variant", "class_list")
    rows = list(table.rows(connection, conditions, columns=columns, limit=MOST_POINTS))[::-1]
    import pandas as pd  # a quarter of a second, which the first page does without

    data = pd.DataFrame(rows, columns=list(columns))
    confidences = data["confidence"].to_numpy(float)
    names = [class_name(found.lists.get(row.class_list or 0, ()), row.prediction) for row in rows]
    return pd.DataFrame(
        {
            "time": pd.to_datetime(data["time"], utc=True),
            "event_id": data["event_id"],
            "prediction": pd.Series(names, dtype=object),
            "confidence": confidences,
            "low": confidences <= found.at,
            "trial": (data["variant"] == TRIAL_VARIANT).to_numpy(bool),
        }
    )


def by_variant(app: App, *, since: datetime | None = None, at: float | None = None) -> list[VariantFigures]:
    """Captured inferences of the endpoint since a time (UTC), at a threshold (default: the current one), by name."""
    at = threshold(app) if at is None else at
    with app.db.read() as connection:
        found = count(connection, InferenceFilter(since=since, endpoint=app.settings.endpoint), at)
    return _by_variant(found, app.settings.endpoint)


def _by_variant(found: Counted, endpoint: str) -> list[VariantFigures]:
    """Of those that the filter leaves, per variant of an endpoint."""
    variants: dict[str, list[int]] = {}
    for id, group in found.groups.items():
        if group.endpoint == endpoint and not group.imported:
            variants.setdefault(group.variant, []).append(id)
    rows = []
    for name, ids in sorted(variants.items()):
        cells, low = (cells.where(np.isin(cells.group, ids)) for cells in (found.cells, found.low))
        if cells.total:
            rows.append(VariantFigures(name, cells.total, low.total, cells.mean or 0.0))
    return rows


def threshold_figures(app: App, value: float, *, level: float = 0.95) -> confidence.ThresholdFigures:
    """Coverage and risk of a threshold on the champion's labelled test images. Raises NotFound."""
    found = measured(app)
    return confidence.figures_at(value, found.confidences, found.correct, level)


def risk_coverage(app: App) -> list[dict[str, float | None]]:
    """Coverage and risk for thresholds from 0.5 to 0.99, on the champion's labelled test images."""
    labels = measured(app)
    steps = [confidence.figures_at(t / 100, labels.confidences, labels.correct, 0.95) for t in range(50, 100)]
    return [{"threshold": f.threshold, "coverage": f.coverage, "risk": f.risk} for f in steps]


@dataclass(frozen=True)
class Measured:
    """A model version on its labelled test images.

    confidences : shape (n,).  predictions : class indices, shape (n,).  correct : bool, shape (n,).
    """

    model: str
    test_set: str
    confidences: confidence.Floats
    predictions: NDArray[np.int64]
    correct: NDArray[np.bool_]


def held_out_answers(app: App) -> Measured | None:
    """The champion's held-out answers to its training images; None if its training kept none.

    Raises NotFound without a champion.
    """
    champion = deployment.champion(app)
    if champion is None:
        raise NotFound("No model is deployed yet: deploy one first.")
    found = held_out.answers(app, champion)
    if not found:
        return None
    labels, probabilities = zip(*((image.class_index, p) for image, p in found), strict=True)
    return _measured(champion, "held-out training images", labels, probabilities)


def propose_threshold(
    app: App, *, max_risk: float, level: float, held_out: Measured | None = None
) -> confidence.ThresholdFigures:
    """The lowest threshold that keeps the risk at `max_risk` with confidence `level`, for images like the test images.

    held_out : answers to training images by models that had not seen them, to rest on beside the test images.
    Raises BadInput, NotFound.
    """
    if not (0 < max_risk < 1 and 0 < level < 1):
        raise BadInput("Risk and confidence must be between 0 and 1, such as 0.05 and 0.95.")
    parts = [measured(app), *([held_out] if held_out else [])]
    confidences, correct = (
        np.concatenate([getattr(one, name) for one in parts]) for name in ("confidences", "correct")
    )
    found = confidence.propose_threshold(confidences, correct, max_risk=max_risk, level=level)
    if found is None:
        raise NotFound(
            f"No threshold keeps the error rate at {max_risk:.1%} with confidence {level:.0%} on the "
            f"{len(correct):,} labels: allow more errors or less confidence, or load more test images."
        )
    return found


def measured_on(app: App) -> tuple[str, str, int]:
    """(model version, test set, test images) behind the threshold's figures. Raises NotFound."""
    found = measured(app)
    return found.model, found.test_set, len(found.correct)


def measured(app: App, model: str | None = None) -> Measured:
    """A model version (default: the one in service) on the test images of its dataset. Raises NotFound."""
    chosen = training.model(app, model) if model else deployment.champion(app)
    if chosen is None:
        raise NotFound("No model is deployed yet: deploy one first.")
    found = training.evaluation(app, chosen, chosen.dataset)
    return _measured(chosen, found.dataset.test_set, found.labels, found.probabilities)


def _measured(
    model: ModelVersion, test_set: str, labels: Sequence[int], probabilities: Sequence[Sequence[float]]
) -> Measured:
    rows = np.asarray(probabilities, dtype=float)
    predictions = rows.argmax(axis=1)
    return Measured(model.id, test_set, rows.max(axis=1), predictions, predictions == np.asarray(labels))
