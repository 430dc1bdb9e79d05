"""Where a model is wrong: slices of its labelled images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scones_core.bounded_map import bounded_map
from scones_core.domain import slices as domain
from scones_core.domain.datasets import TEST
from scones_core.domain.inference_filter import InferenceFilter
from scones_core.domain.models import ModelVersion
from scones_core.domain.review import OTHER, Strategy
from scones_core.domain.slices import Slice
from scones_core.errors import NotFound, SconesError
from scones_core.services import capture, deployment, etl, gallery, review, training
from scones_core.services.app import App
from scones_core.vision.classifier import Classifier
from scones_core.vision.clusters import clusters
from scones_core.vision.statistics import STATISTICS, statistics_of

CLASS, HOUR, CLUSTER = "predicted class", "hour (UTC)", "cluster"
DRAWN = (Strategy.RANDOM, Strategy.AUDIT)  # other orders choose images on which the model is likely to be wrong
TRAFFIC = 300  # newest captured inferences, of which the share in a slice is measured


@dataclass(frozen=True)
class Seen:
    """An image with a prediction. label : None for one that nobody labelled.  hour : None of test images."""

    prediction: str
    label: str | None
    hour: str | None
    data: bytes = field(repr=False)
    statistics: Sequence[float]

    @property
    def wrong(self) -> bool:
        return self.label != self.prediction


@dataclass(frozen=True)
class WeakSlice:
    """A slice. share : of the newest captured inferences; None without any.  errors : its images that are wrong."""

    slice: Slice
    share: float | None
    errors: Sequence[Seen]


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
    tests, drawn, traffic = _tests(app, chosen), _drawn(app, chosen.id), _traffic(app, chosen.id)
    labelled = [*tests, *drawn]
    wrong = np.array([one.wrong for one in labelled], dtype=bool)
    numbers = np.array([one.statistics for one in labelled], dtype=float).reshape(-1, len(STATISTICS))
    of_labelled, of_traffic = _clusters(app, chosen, labelled, traffic)
    categories: dict[str, Sequence[str | None]] = {
        CLASS: [one.prediction for one in labelled],
        HOUR: [one.hour for one in labelled],
        CLUSTER: of_labelled,
    }
    attributes: list[dict[str, float | str]] = [
        {**dict(zip(STATISTICS, one.statistics, strict=True)), CLASS: one.prediction, HOUR: one.hour or "", CLUSTER: of}
        for one, of in zip(traffic, of_traffic, strict=True)
    ]
    found = [
        WeakSlice(one, _share(one, attributes), [labelled[i] for i in np.flatnonzero(one.members & wrong)])
        for one in domain.slices(wrong, dict(zip(STATISTICS, numbers.T, strict=True)), categories)
    ]
    test_set = etl.get(app, chosen.dataset).test_set
    return WeakSlices(chosen.id, test_set, len(tests), len(drawn), len(traffic), found)


def _clusters(
    app: App, model: ModelVersion, labelled: Sequence[Seen], traffic: Sequence[Seen]
) -> tuple[Sequence[str | None], list[str]]:
    """The cluster of each; none for a model that this app did not train, whose features are its own."""
    try:
        loaded = Classifier.load(app.backend.objects.get(model.artifact_key), model.artifact_sha256)
    except SconesError:
        return [None] * len(labelled), [""] * len(traffic)
    found, others = clusters(loaded, [one.data for one in labelled], [one.data for one in traffic])
    if not found:
        return [None] * len(labelled), [""] * len(traffic)
    return [f"{number + 1}" for number in found], [f"{number + 1}" for number in others]


def _tests(app: App, model: ModelVersion) -> list[Seen]:
    evaluation = training.evaluation(app, model, model.dataset)
    classes = evaluation.dataset.classes
    images = etl.images(app, model.dataset, TEST)
    read = bounded_map(lambda image: _measured(etl.image, app, image.key), images, app.backend.objects.at_once)
    return [
        Seen(classes[int(np.argmax(row))], classes[label], None, *measured)
        for label, row, measured in zip(evaluation.labels, evaluation.probabilities, read, strict=True)
        if measured
    ]


def _measured(read: Callable[[App, str], bytes], app: App, key: str) -> tuple[bytes, Sequence[float]] | None:
    """The image and its statistics; None if it is missing or cannot be decoded."""
    try:
        data = read(app, key)
        return data, statistics_of(data)
    except SconesError:
        return None


def _drawn(app: App, model: str) -> list[Seen]:
    """Captured images whose label comes from a draw with equal probabilities."""
    rows = [row for row in review.reviewed(app, model=model) if row["label"] not in (None, OTHER)]
    found: list[dict[str, Any]] = [row for row in rows if row["strategy"] == Strategy.RANDOM]
    audited = [row for row in rows if row["strategy"] == Strategy.AUDIT]
    if len({row["probability"] for row in audited}) == 1:
        found += audited
    measured = [(row, _measured(capture.image, app, row["id"])) for row in found]
    return [
        Seen(row["prediction"], row["label"], f"{capture.inference(app, row['id'])['time']:%H}:00", *seen)
        for row, seen in measured
        if seen
    ]


def _traffic(app: App, model: str) -> list[Seen]:
    """The newest captured inferences of a model."""
    shown = gallery.page(app, InferenceFilter(model=model), size=TRAFFIC).images
    read = bounded_map(lambda one: _measured(capture.image, app, one.event_id), shown, app.backend.objects.at_once)
    return [
        Seen(one.prediction, None, f"{one.time:%H}:00", *measured)
        for one, measured in zip(shown, read, strict=True)
        if measured
    ]


def _share(one: Slice, traffic: Sequence[dict[str, float | str]]) -> float | None:
    if not traffic:
        return None
    return sum(one.holds(row[one.attribute]) for row in traffic) / len(traffic)
