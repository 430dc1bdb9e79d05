"""Known answers of a model, and how often inferences are right that are as confident.

References
----------
[PLA99] Platt, "Probabilistic outputs for support vector machines", Advances in Large Margin Classifiers (1999).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scones_core.domain.audit import Floats, Sample

CALIBRATED, PRECISION = np.array([0.0, 1.0]), np.array([0.5, 4.0])  # belief about confidences: intercept and slope


@dataclass(frozen=True)
class KnownAnswers:
    """Known answers of a model.  confidences, right (1 or 0), weights (what each counts as) : shape (n,)."""

    confidences: Floats
    right: Floats
    weights: Floats

    @classmethod
    def equal(cls, confidences: Floats, right: NDArray[np.bool_]) -> "KnownAnswers":
        """Such as on test images."""
        return cls(confidences, right.astype(float), np.ones(len(right)))

    @classmethod
    def of_audit(cls, sample: Sample) -> "KnownAnswers":
        """Weighed as drawn; together they count as the number of labels drawn at random that they are worth."""
        known = ~np.isnan(sample.wrong)
        weights = 1 / sample.probabilities[known]
        worth = weights.sum() / (weights**2).sum() if len(weights) else 1.0
        return cls(sample.confidences[sample.rows][known], 1 - sample.wrong[known], weights * worth)

    def __add__(self, others: "KnownAnswers") -> "KnownAnswers":
        return KnownAnswers(
            np.concatenate([self.confidences, others.confidences]),
            np.concatenate([self.right, others.right]),
            np.concatenate([self.weights, others.weights]),
        )

    def above(self, threshold: float) -> "KnownAnswers":
        kept = self.confidences > threshold
        return KnownAnswers(self.confidences[kept], self.right[kept], self.weights[kept])

    def calibrated(self, confidences: Floats) -> Floats:
        """Probability of being right at these confidences, (n,): their logit, scaled and shifted as the answers fit.

        The belief that confidences are calibrated keeps it finite; a few dozen answers outweigh it.  Source: [PLA99].
        """
        from scipy.optimize import minimize
        from scipy.special import expit

        logits = _logit(self.confidences)

        def loss(line: Floats) -> float:
            at = line[0] + line[1] * logits
            missed = np.logaddexp(0, at) - self.right * at
            return float(self.weights @ missed + PRECISION @ (line - CALIBRATED) ** 2 / 2)

        intercept, slope = minimize(loss, CALIBRATED).x
        return np.asarray(expit(intercept + slope * _logit(confidences)))


def _logit(confidences: Floats) -> Floats:
    from scipy.special import logit

    return np.asarray(logit(np.clip(confidences, 1e-4, 1 - 1e-4)))
