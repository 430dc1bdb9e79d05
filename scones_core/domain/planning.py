"""How many labels an interval of ± x or a comparison needs.  For a promise see `promise.PlannedAudit`.

References
----------
[CON87] Connor, "Sample size for testing differences in proportions for the paired-sample design", Biometrics 43 (1987).
"""

import math

import numpy as np

from scones_core.domain.audit import Floats, Sample
from scones_core.domain.audit_draw import inclusion_probabilities
from scones_core.domain.confidence import share_interval

BELIEF = 50  # labels that the model's own confidences count as, beside those of an earlier audit
POWER = 0.8


def labels_for_interval(confidences: Floats, half_width: float, *, earlier: Sample | None = None) -> int:
    """Labels with which an audit of these inferences gives accuracy to ± `half_width`, in (0, 1), at 95%.

    confidences : of the period's inferences, shape (n,).  earlier : an audit of the same kind of traffic.
    """
    low, high = 1, len(confidences)
    plan = _Plan(confidences, earlier)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if plan.half_width(middle) <= half_width else (middle + 1, high)
    return low


class _Plan:
    """Half-widths of audits that have not been drawn, by what confidences and earlier labels let expect."""

    def __init__(self, confidences: Floats, earlier: Sample | None) -> None:
        self._confidences = confidences
        accuracy, self._share = float(confidences.mean()), 0.0
        if earlier is not None and (known := ~np.isnan(earlier.wrong)).any():
            self._sure = earlier.confidences[earlier.rows][known]
            self._weights = 1 / earlier.probabilities[known] / len(earlier.confidences)
            errors = 1 - earlier.wrong[known] - self._sure
            self._squared = errors**2
            self._share = float(known.sum() / (known.sum() + BELIEF))
            accuracy += self._share * float((self._weights * errors).sum())
        self._accuracy = min(max(accuracy, 0.01), 0.99)

    def half_width(self, labels: int) -> float:
        probabilities, n = inclusion_probabilities(self._confidences, labels), len(self._confidences)
        factor = (1 - probabilities) / probabilities / n
        expected = float((factor * self._confidences * (1 - self._confidences)).mean())
        if self._share:  # what the earlier labels would have cost in this audit
            order = np.argsort(self._confidences)
            at = np.interp(self._sure, self._confidences[order], factor[order])
            seen = float((self._weights * at * self._squared).sum())
            expected = self._share * seen + (1 - self._share) * expected
        if expected <= 0:
            return 0.0
        low, high = share_interval(self._accuracy, self._accuracy * (1 - self._accuracy) / expected, 0.95)
        return (high - low) / 2


def images_for_difference(difference: float, discordant: int, images: int) -> int:
    """Images on which a difference of accuracy is found at the 5% level with probability .8.

    difference : to be found, in (0, 1), not one that was seen: that is known far less well than how often two models
    disagree.  discordant : of `images`, those that only one of the two classified correctly.  Source: [CON87].
    """
    from scipy.special import ndtri

    disagreeing = max((discordant + 1) / (images + 2), difference)  # an image more of each kind: none seen is not none
    needed = ndtri(0.975) * math.sqrt(disagreeing) + ndtri(POWER) * math.sqrt(disagreeing - difference**2)
    return math.ceil(float(needed**2) / difference**2)
