"""How many labels an interval of ± x or a comparison needs.  For a promise see `promise.PlannedAudit`.

References
----------
[CON87] Connor, "Sample size for testing differences in proportions for the paired-sample design", Biometrics 43 (1987).
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scones_core.domain.audit import LEVEL, Floats, Rows, Sample
from scones_core.domain.audit_draw import added_probabilities, inclusion_probabilities
from scones_core.domain.confidence import share_interval
from scones_core.domain.known_answers import KnownAnswers

POWER = 0.8


@dataclass(frozen=True)
class PlannedInterval:
    """An audit of accuracy that is not drawn yet, or is to be extended: how wide its interval will be.

    confidences : of the period's inferences, shape (n,).  answers : what is known of how often these are right.
    begun : the audit to be extended, all of whose labels are given.
    """

    confidences: Floats
    answers: KnownAnswers
    begun: Sample | None = None

    def labels(self, half_width: float) -> int | None:
        """Labels in all that give accuracy to ± `half_width`, in (0, 1), at 95%; None if all inferences do not."""
        low, high = len(self._rows) or 1, len(self.confidences)
        if self.half_width(high) > half_width:
            return None
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.half_width(middle) <= half_width else (middle + 1, high)
        return low

    def half_width(self, labels: int) -> float:
        """Expected of the interval that so many labels in all will give."""
        n, sure, chance = len(self.confidences), self.confidences, self._chance
        after = inclusion_probabilities(sure, labels)
        drawn = added_probabilities(self._before, after, self._rows)
        drawn[self._rows] = 1
        spread = drawn * (1 - after)
        if not spread.any():  # all are labelled
            return self._unknown / 2
        with np.errstate(divide="ignore"):
            all_right = math.exp(drawn[drawn > 0] @ np.log(chance[drawn > 0]))
        low, high = share_interval(1.0, float(drawn @ (1 / after)) ** 2 / float(drawn @ (1 / after**2)), LEVEL)
        width = all_right * (high - low)  # as `audit` says of labels that are all alike
        if (not_all := 1 - all_right) > 1e-9:
            wrong = (1 - chance) / not_all  # given that at least one is
            variance = float((spread / after**2) @ (wrong * sure**2 + chance * (1 - sure) ** 2))
            variance -= float(spread @ ((1 - sure - wrong) / after)) ** 2 / float(spread.sum())  # about their centre
            accuracy = float(sure.mean() + drawn @ ((1 - sure - wrong) / after) / n)
            accuracy = min(max(accuracy, 0.001), 0.999)
            low, high = share_interval(accuracy, accuracy * (1 - accuracy) / max(variance / n**2, 1e-12), LEVEL)
            width += not_all * (high - low)
        return (width + self._unknown) / 2

    @cached_property
    def _rows(self) -> Rows:
        return np.zeros(0, dtype=np.int64) if self.begun is None else self.begun.rows

    @cached_property
    def _before(self) -> Floats:
        labels = len(self._rows)
        return inclusion_probabilities(self.confidences, labels) if labels else np.zeros(len(self.confidences))

    @cached_property
    def _chance(self) -> Floats:
        """Probability that each inference is right, (n,): known of those labelled."""
        chance = self.answers.calibrated(self.confidences)
        if self.begun is not None:
            chance[self._rows] = np.where(np.isnan(self.begun.wrong), chance[self._rows], 1 - self.begun.wrong)
        return chance

    @cached_property
    def _unknown(self) -> float:
        """Share of the inferences that nobody could label: may be right or wrong."""
        if self.begun is None:
            return 0.0
        return float((np.isnan(self.begun.wrong) / self.begun.probabilities).sum() / len(self.confidences))


def images_for_difference(difference: float, discordant: int, images: int) -> int:
    """Images on which a difference of accuracy is found at the 5% level with probability .8.

    difference : to be found, in (0, 1), not one that was seen: that is known far less well than how often two models
    disagree.  discordant : of `images`, those that only one of the two classified correctly.  Source: [CON87].
    """
    from scipy.special import ndtri

    disagreeing = max((discordant + 1) / (images + 2), difference)  # an image more of each kind: none seen is not none
    needed = ndtri(0.975) * math.sqrt(disagreeing) + ndtri(POWER) * math.sqrt(disagreeing - difference**2)
    return math.ceil(float(needed**2) / difference**2)
