"""The captured traffic at another threshold, and the cheapest threshold."""

from dataclasses import dataclass, replace

from scones_core.db import reviews
from scones_core.domain import what_if as domain
from scones_core.domain.cells import SECOND, Ints
from scones_core.domain.inference_filter import InferenceFilter
from scones_core.domain.models import number_of
from scones_core.domain.what_if import Cheapest, WhatIf, seconds_per_decision
from scones_core.errors import BadInput
from scones_core.services import counting, monitoring
from scones_core.services.app import App
from scones_core.services.monitoring import Measured

DAY = 86_400
RECENT = 2_000  # decisions


@dataclass(frozen=True)
class Traffic:
    """Inferences of one model, and its labelled test images.

    at_or_below : inferences at or below the thresholds 0, 0.001, …, 1, shape (1001,).
    seconds : from the first to the last of them.  per_decision : measured seconds of a review decision; None until
    there are enough decisions.
    """

    model: str
    at_or_below: Ints
    seconds: float
    per_decision: float | None
    measured: Measured

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
    named = which.model if number_of(which.model) else None
    measured = monitoring.measured(app, named)
    chosen = replace(which, model=measured.model, accepted=None, above=None, up_to=None)
    with app.db.read() as connection:
        found = counting.count(connection, chosen, 1.0)
        times = reviews.decision_times(connection, RECENT)
    seconds = (found.last - found.first) / SECOND
    return Traffic(measured.model, counting.thresholds(found), seconds, seconds_per_decision(times), measured)


def at(found: Traffic, threshold: float) -> WhatIf:
    """That traffic at a threshold of three decimals."""
    return domain.what_if(round(threshold, 3), found.at_or_below, found.measured.confidences, found.measured.correct)


def cheapest(found: Traffic, *, error: float, review: float) -> Cheapest | None:
    """The threshold of least cost. Raises BadInput for prices that are not positive."""
    if not (error > 0 and review > 0):
        raise BadInput("The prices of a wrong route and of a review must be above 0.")
    labels = found.measured
    return domain.cheapest(found.at_or_below, labels.confidences, labels.correct, error=error, review=review)
