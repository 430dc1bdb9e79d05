"""The captured traffic at another threshold, and the cheapest threshold."""

from dataclasses import dataclass, replace

from scones_core.db import reviews
from scones_core.domain import what_if as domain
from scones_core.domain.cells import SECOND, Ints
from scones_core.domain.inference_filter import InferenceFilter
from scones_core.domain.models import ModelVersion, number_of
from scones_core.domain.what_if import Cheapest, WeightedLabels, WhatIf, seconds_per_decision
from scones_core.errors import BadInput, NotFound
from scones_core.services import audits, counting, deployment, drift_standing, monitoring, training
from scones_core.services.app import App

DAY = 86_400
RECENT = 2_000  # decisions


@dataclass(frozen=True)
class Evidence:
    """Labelled images that error rates rest on.  audit : its id, if they are an audit's; otherwise test images.

    prediction : the class that all of them are predicted, if the filter names one.
    """

    labels: WeightedLabels
    audit: int | None = None
    prediction: str | None = None

    @property
    def images(self) -> int:
        return len(self.labels.confidences)


@dataclass(frozen=True)
class Traffic:
    """Inferences of one model, and labelled images like them.

    at_or_below : inferences at or below the thresholds 0, 0.001, …, 1, shape (1001,).
    seconds : from the first to the last of them.  per_decision : measured seconds of a review decision; None until
    there are enough decisions.  unknown : why there is no evidence of errors.
    """

    model: str
    at_or_below: Ints
    seconds: float
    per_decision: float | None
    evidence: Evidence | None
    unknown: str = ""

    @property
    def inferences(self) -> int:
        return int(self.at_or_below[-1])

    @property
    def days(self) -> float | None:
        """None for less than a day, which gives no daily rate."""
        return self.seconds / DAY if self.seconds >= DAY else None


def traffic(app: App, which: InferenceFilter) -> Traffic:
    """What a filter leaves of the traffic of its model (default: the one in service), accepted or not.

    Raises NotFound without a model in service, or without its predictions for test images.
    """
    model = training.model(app, which.model) if number_of(which.model) else deployment.champion(app)
    if model is None:
        raise NotFound("No model is deployed yet: deploy one first.")
    chosen = replace(which, model=model.id, accepted=None, above=None, up_to=None)
    with app.db.read() as connection:
        found = counting.count(connection, chosen, 1.0)
        times = reviews.decision_times(connection, RECENT)
    seconds = (found.last - found.first) / SECOND
    counts, per_decision = counting.thresholds(found), seconds_per_decision(times)
    return Traffic(model.id, counts, seconds, per_decision, *_evidence(app, model, which))


def _evidence(app: App, model: ModelVersion, which: InferenceFilter) -> tuple[Evidence | None, str]:
    """Labels of the newest audit, or of the test images while nothing has drifted; else why there are none."""
    if which.reviewed is not None:
        return None, "Reviewed images were chosen, and so are those without a review: neither has a known error rate."
    if audited := audits.informative(app, model.id):
        sample, id = audited.sample, audited.audit.id
        predictions, weights = sample.predictions[sample.rows], 1 / sample.probabilities
        labels = WeightedLabels(sample.confidences[sample.rows], sample.wrong, weights)
    elif drift_standing.moved(app, model.id):
        return None, "The images have drifted from the test images: audit about 100 of them to know the error rate."
    else:
        measured, id = monitoring.measured(app, model.id), None
        predictions, labels = measured.predictions, WeightedLabels.alike(measured.confidences, measured.correct)
    if which.prediction is None:
        return Evidence(labels, id), ""
    of_class = predictions == (model.classes.index(which.prediction) if which.prediction in model.classes else -1)
    return Evidence(labels.where(of_class), id, which.prediction), ""


def at(found: Traffic, threshold: float) -> WhatIf:
    """That traffic at a threshold of three decimals."""
    labels = found.evidence.labels if found.evidence else None
    return domain.what_if(round(threshold, 3), found.at_or_below, labels)


def cheapest(found: Traffic, *, error: float, review: float) -> Cheapest | None:
    """The threshold of least cost; None if too few labels tell. Raises BadInput for prices that are not positive."""
    if not (error > 0 and review > 0):
        raise BadInput("The prices of a wrong route and of a review must be above 0.")
    if found.evidence is None:
        return None
    return domain.cheapest(found.at_or_below, found.evidence.labels, error=error, review=review)
