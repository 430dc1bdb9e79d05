"""Where a model is wrong: slices of its labelled images."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scones_core.bounded_map import bounded_map
from scones_core.domain import slices as domain
from scones_core.domain.datasets import TEST
from scones_core.domain.inference_filter import InferenceFilter
from scones_core.domain.review import OTHER, Strategy
from scones_core.domain.slices import Slice
from scones_core.errors import BadImage, NotFound, SconesError
from scones_core.services import capture, deployment, etl, gallery, review, training
from scones_core.services.app import App
from scones_core.vision.statistics import STATISTICS, statistics_of

CLASS, HOUR = "predicted class", "hour (UTC)"
DRAWN = (Strategy.RANDOM, Strategy.AUDIT)  # other orders choose images on which the model is likely to be wrong
TRAFFIC = 300  # newest captured inferences, of which the share in a slice is measured


@dataclass(frozen=True)
class Labelled:
    """An image with a label. key : in the bucket; None for a captured inference, which `event_id` names."""

    key: str | None
    event_id: str | None
    prediction: str
    label: str
    hour: str | None
    statistics: Sequence[float]

    @property
    def wrong(self) -> bool:
        return self.label != self.prediction


@dataclass(frozen=True)
class WeakSlice:
    """A slice. share : of the newest captured inferences; None without any.  errors : its images that are wrong."""

    slice: Slice
    share: float | None
    errors: Sequence[Labelled]


@dataclass(frozen=True)
class WeakSlices:
    """tests, drawn : labelled test images, and captured images reviewed in a random order.  traffic : inferences that
    the shares were measured on.  slices : all of them, the most certain first."""

    model: str
    test_set: str
    tests: int
    drawn: int
    traffic: int
    slices: Sequence[WeakSlice]


def find(app: App, model: str | None = None) -> WeakSlices:
    """The slices of a model version (default: the one in service). Raises NotFound.

    Labels of test images, and of captured images that were reviewed because they were drawn at random.
    """
    chosen = training.model(app, model) if model else deployment.champion(app)
    if chosen is None:
        raise NotFound("No model is deployed yet: deploy one first.")
    tests, drawn = _tests(app, chosen.id), _drawn(app, chosen.id)
    labelled = [*tests, *drawn]
    wrong = np.array([one.wrong for one in labelled], dtype=bool)
    numbers = np.array([one.statistics for one in labelled], dtype=float).reshape(-1, len(STATISTICS))
    statistics = {name: numbers[:, place] for place, name in enumerate(STATISTICS)}
    categories: dict[str, Sequence[str | None]] = {
        CLASS: [one.prediction for one in labelled],
        HOUR: [one.hour for one in labelled],
    }
    traffic = _traffic(app, chosen.id)
    found = [
        WeakSlice(one, _share(one, traffic), [labelled[i] for i in np.flatnonzero(one.members & wrong)])
        for one in domain.slices(wrong, statistics, categories)
    ]
    dataset = etl.get(app, chosen.dataset)
    return WeakSlices(chosen.id, dataset.test_set, len(tests), len(drawn), len(traffic), found)


def _tests(app: App, model: str) -> list[Labelled]:
    version = training.model(app, model)
    evaluation = training.evaluation(app, version, version.dataset)
    classes = evaluation.dataset.classes
    images = etl.images(app, version.dataset, TEST)
    measured = bounded_map(lambda image: _statistics(app, image.key), images, app.backend.objects.at_once)
    return [
        Labelled(image.key, None, classes[int(np.argmax(row))], classes[label], None, statistics)
        for image, label, row, statistics in zip(
            images, evaluation.labels, evaluation.probabilities, measured, strict=True
        )
    ]


def _statistics(app: App, key: str) -> Sequence[float]:
    try:
        return statistics_of(etl.image(app, key))
    except (SconesError, BadImage):
        return [math.nan] * len(STATISTICS)


def _drawn(app: App, model: str) -> list[Labelled]:
    """Captured images whose label comes from a draw with equal probabilities."""
    rows = [row for row in review.reviewed(app, model=model) if row["label"] not in (None, OTHER)]
    found: list[dict[str, Any]] = [row for row in rows if row["strategy"] == Strategy.RANDOM]
    audited = [row for row in rows if row["strategy"] == Strategy.AUDIT]
    if len({row["probability"] for row in audited}) == 1:
        found += audited
    return [
        Labelled(
            key=None,
            event_id=row["id"],
            prediction=row["prediction"],
            label=row["label"],
            hour=f"{capture.inference(app, row['id'])['time']:%H}:00",
            statistics=_captured(app, row["id"]),
        )
        for row in found
    ]


def _captured(app: App, event_id: str) -> Sequence[float]:
    try:
        return statistics_of(capture.image(app, event_id))
    except (SconesError, BadImage):
        return [math.nan] * len(STATISTICS)


def _traffic(app: App, model: str) -> list[dict[str, float | str]]:
    """The attributes of the newest captured inferences of a model."""
    shown = gallery.page(app, InferenceFilter(model=model), size=TRAFFIC).images
    measured = bounded_map(lambda one: _captured(app, one.event_id), shown, app.backend.objects.at_once)
    return [
        {**dict(zip(STATISTICS, statistics, strict=True)), CLASS: one.prediction, HOUR: f"{one.time:%H}:00"}
        for one, statistics in zip(shown, measured, strict=True)
        if not math.isnan(statistics[0])
    ]


def _share(one: Slice, traffic: Sequence[dict[str, float | str]]) -> float | None:
    if not traffic:
        return None
    inside = Counter(one.holds(row[one.attribute]) for row in traffic)
    return inside[True] / len(traffic)
