"""The audit: accuracy in production, estimated from labels drawn with known probabilities.

An audit is about the `n` captured inferences of a period, of which it labels a few. Uncertain ones are drawn more
often, and each label counts by the inverse of its probability; the model's own confidences carry the rest of the
estimate. If these are wrong, the interval is wider and still holds.

References
----------
[ZRN24] Zrnic, Candès, "Active statistical inference", ICML 2024, arXiv 2403.03208 (the estimator).
[ANG23] Angelopoulos, Duchi, Zrnic, "PPI++", arXiv 2311.01453 (labels corrected by predictions).
[ROB94] Robins, Rotnitzky, Zhao, JASA 89 (1994) (augmented inverse-probability weighting, AIPW).
[BER04] Berger, "A simple variance estimator for unequal probability sampling without replacement", Journal of Applied
        Statistics 31 (2004).
[KOR98] Korn, Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated
        from survey data", Survey Methodology 24 (1998).
[MAN89] Manski, "Anatomy of the selection problem", J. Human Resources 24 (1989) (bounds for what stays unknown).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scones_core.domain.confidence import calibration_error_interval, share_interval

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

LEVEL = 0.95
BINS = 10
DRAWS = 1_000  # of answers that a calibrated model would have given
OTHER, UNKNOWN = -1, -2  # answers that are no class: shows none of the classes; skipped, unusable


@dataclass(frozen=True)
class Estimate:
    """A share in [0, 1] with its interval, from `labels` labels; `inferences` are those that it is about."""

    value: float
    interval: tuple[float, float]
    labels: int
    inferences: int

    @property
    def half_width(self) -> float:
        return (self.interval[1] - self.interval[0]) / 2


@dataclass(frozen=True)
class Sample:
    """Labelled inferences of an audit among the `n` inferences of its period.

    confidences, predictions : of all inferences, shape (n,).
    rows : of the labelled inferences, shape (m,).  probabilities : with which each came to be labelled, in (0, 1].
    answers : class indices, OTHER or UNKNOWN, shape (m,).
    """

    confidences: Floats
    predictions: Rows
    rows: Rows
    probabilities: Floats
    answers: Rows

    @property
    def wrong(self) -> Floats:
        """1 where the model was wrong, 0 where it was right, NaN where nobody knows; shape (m,)."""
        wrong = (self.answers != self.predictions[self.rows]).astype(float)
        return np.where(self.answers == UNKNOWN, np.nan, wrong)


@dataclass(frozen=True)
class ConfidenceBin:
    """Inferences of similar confidence: their mean confidence, and the accuracy estimated for them."""

    confidence: float
    accuracy: Estimate


@dataclass(frozen=True)
class AuditFigures:
    """What an audit says; None where no label is about it.

    other, unknown : shares of the inferences that show none of the classes, and that could not be labelled.
    confidence_gap : mean confidence less accuracy, with its interval; above 0 the model is surer than it should be.
    ece, ece_interval : expected calibration error over the bins of `reliability`, with its 95% interval.
    ece_by_chance : its 95% quantile if the model were perfectly calibrated, by the same draw.
    confidence_brier : mean squared error of the confidence as the probability of being right, in [0, 1].
    """

    labels: int
    inferences: int
    accuracy: Estimate
    risk_accepted: Estimate | None
    recall: dict[int, Estimate | None]
    other: Estimate
    unknown: Estimate
    mean_confidence: float
    confidence_gap: tuple[float, float, float]
    reliability: list[ConfidenceBin]
    ece: float
    ece_interval: tuple[float, float]
    ece_by_chance: float
    confidence_brier: Estimate


def figures(sample: Sample, *, threshold: float, classes: int) -> AuditFigures:
    """Everything that an audit says, with 95% intervals. Raises ValueError without a label."""
    if not len(sample.rows):
        raise ValueError("an audit without a label says nothing")
    everything = np.ones(len(sample.confidences), dtype=bool)
    accuracy = _accuracy(sample, everything)
    gap = float(sample.confidences.mean()) - accuracy.value
    ends = sample.confidences.mean() - np.array(accuracy.interval[::-1])
    bins = _bins(sample)
    ece, ece_interval, ece_by_chance = _calibration_error(sample, bins[sample.rows])
    return AuditFigures(
        labels=len(sample.rows),
        inferences=len(sample.confidences),
        accuracy=accuracy,
        risk_accepted=risk_at(sample, threshold),
        recall={index: recall(sample, index, classes) for index in range(classes)},
        other=_share(sample, sample.answers == OTHER),
        unknown=_share(sample, sample.answers == UNKNOWN),
        mean_confidence=float(sample.confidences.mean()),
        confidence_gap=(gap, float(ends[0]), float(ends[1])),
        reliability=_reliability(sample, bins),
        ece=ece,
        ece_interval=ece_interval,
        ece_by_chance=ece_by_chance,
        confidence_brier=_brier(sample),
    )


def risk_at(sample: Sample, threshold: float) -> Estimate | None:
    """Error rate of the inferences above a threshold; None if no label is about them."""
    accepted = sample.confidences > threshold
    return _turned(_accuracy(sample, accepted)) if accepted[sample.rows].any() else None


def _accuracy(sample: Sample, domain: NDArray[np.bool_]) -> Estimate:
    """Accuracy on the inferences of `domain`, bool, shape (n,); "other" is wrong.

    An image without an answer may be right or wrong: the interval reaches from the lower end with all of these wrong
    to the upper end with all right [MAN89]; the estimate takes the model's confidence for them.
    """
    expected, right = sample.confidences, 1 - sample.wrong
    unknown = np.isnan(right)
    worst, best = (_mean(sample, domain, np.where(unknown, fill, right), expected) for fill in (0.0, 1.0))
    middle = _mean(sample, domain, np.where(unknown, expected[sample.rows], right), expected)
    return Estimate(middle.value, (worst.interval[0], best.interval[1]), middle.labels, middle.inferences)


def _turned(share: Estimate) -> Estimate:
    return Estimate(1 - share.value, (1 - share.interval[1], 1 - share.interval[0]), share.labels, share.inferences)


def _share(sample: Sample, of: NDArray[np.bool_]) -> Estimate:
    everything = np.ones(len(sample.confidences), dtype=bool)
    return _mean(sample, everything, of.astype(float), np.zeros(len(sample.confidences)))


def _mean(
    sample: Sample, domain: NDArray[np.bool_], values: Floats, expected: Floats, spread: Floats | None = None
) -> Estimate:
    """AIPW mean of a value over `domain`: the mean of what is expected, corrected by the labels.  [ROB94, ZRN24]

    values, in [0, 1] : of the labelled, shape (m,).  expected, in [0, 1] : of all, shape (n,).
    spread : variance of each labelled value if the model is calibrated, (m,); no less is assumed in all.
    """
    inside, size = domain[sample.rows], int(domain.sum())
    residuals = np.where(inside, values - expected[sample.rows], 0.0)
    total = float((residuals / sample.probabilities).sum())
    value = float(expected[domain].mean()) + total / size
    seen = values[inside]
    variance = _variance(residuals, sample.probabilities)
    if spread is None and size < len(sample.confidences):
        spread = (sure := expected[sample.rows]) * (1 - sure)
    if spread is not None:  # of a few labels, the variance seen may be much too small
        variance = max(variance, _anticipated(np.where(inside, spread, 0.0), sample.probabilities))
    interval = _interval(sample, inside, seen, value, variance / size**2)
    return Estimate(min(max(value, 0.0), 1.0), interval, int(inside.sum()), size)


def _variance(residuals: Floats, probabilities: Floats) -> float:
    """Of the sum of residuals ⁄ probabilities, where as many are always drawn.  Source: [BER04]."""
    m = len(residuals)
    if m < 2:
        return float("inf")
    share = 1 - probabilities  # a row drawn for certain adds no variance
    scaled = residuals / probabilities
    centre = (share * scaled).sum() / share.sum() if share.sum() else 0.0
    return float(m / (m - 1) * (share * (scaled - centre) ** 2).sum())


def _anticipated(variances: Floats, probabilities: Floats) -> float:
    """Variance of the sum of residuals ⁄ probabilities if the confidences are calibrated, estimated from the labelled.

    variances : of each labelled inference's residual, shape (m,).
    """
    return float(((1 - probabilities) / probabilities**2 * variances).sum())


def _interval(
    sample: Sample, inside: NDArray[np.bool_], seen: Floats, value: float, variance: float
) -> tuple[float, float]:
    """Clopper and Pearson's interval for as many random labels as would have this variance.  Source: [KOR98].

    Of labels that are all alike the weights alone say what they are worth, as in a plain mean.
    """
    if not len(seen):
        return 0.0, 1.0
    if (sample.probabilities[inside] == 1).all() and variance == 0:  # every one of them is labelled
        return value, value
    weights = 1 / sample.probabilities[inside]
    if seen.min() == seen.max():
        return share_interval(float(seen[0]), float(weights.sum() ** 2 / (weights**2).sum()), LEVEL)
    inner = min(max(value, 1e-4), 1 - 1e-4)
    return share_interval(inner, inner * (1 - inner) / max(variance, 1e-12), LEVEL)


def recall(sample: Sample, index: int, classes: int) -> Estimate | None:
    """Share of the images of a class that the model finds; None if no label shows the class.

    A ratio of two AIPW totals with its linearised variance; images without an answer are left out of both.
    """
    known = sample.answers != UNKNOWN
    if not (sample.answers == index).any():
        return None
    predicted = sample.predictions == index
    rest = (1 - sample.confidences) / max(classes - 1, 1)
    expected_found = np.where(predicted, sample.confidences, 0.0)
    expected = np.where(predicted, sample.confidences, rest)
    rows, weights = sample.rows, known / sample.probabilities
    is_class = (sample.answers == index).astype(float)
    found = is_class * predicted[rows]
    total = float(expected.sum() + (weights * (is_class - expected[rows])).sum())
    hits = float(expected_found.sum() + (weights * (found - expected_found[rows])).sum())
    of_class = sample.answers == index
    if total <= 0:
        return None
    ratio = min(max(hits / total, 0.0), 1.0)
    errors = known * ((found - ratio * is_class) - (expected_found[rows] - ratio * expected[rows]))
    sure, other = sample.confidences[rows], rest[rows]
    calibrated = np.where(predicted[rows], (1 - ratio) ** 2 * sure * (1 - sure), ratio**2 * other * (1 - other))
    variance = max(_variance(errors, sample.probabilities), _anticipated(known * calibrated, sample.probabilities))
    variance /= total**2
    interval = _interval(sample, of_class, found[of_class], ratio, variance)
    low, high = min(interval[0], ratio), max(interval[1], ratio)
    return Estimate(ratio, (low, high), int(of_class.sum()), round(total))


def _bins(sample: Sample) -> Rows:
    """Of each inference its bin by confidence, shape (n,): up to ten of equally many labels."""
    labelled = np.sort(sample.confidences[sample.rows])
    count = min(BINS, max(1, len(labelled) // 10))
    edges = np.unique(labelled[[len(labelled) * k // count for k in range(1, count)]]) if count > 1 else np.array([])
    return np.searchsorted(edges, sample.confidences, side="right").astype(np.int64)


def _reliability(sample: Sample, bins: Rows) -> list[ConfidenceBin]:
    domains = [bins == number for number in np.unique(bins)]
    return [ConfidenceBin(float(sample.confidences[one].mean()), _accuracy(sample, one)) for one in domains]


def _calibration_error(sample: Sample, bins: Rows) -> tuple[float, tuple[float, float], float]:
    """Expected calibration error, its interval, and what chance explains.  bins : of the labelled, shape (m,).

    A bin's accuracy less its mean confidence is the weighted mean of its labels' residuals; images without an answer
    are taken to be as right as the model is sure of them.
    """
    sure, n = sample.confidences[sample.rows], len(sample.confidences)
    residuals = np.where(np.isnan(sample.wrong), 0.0, 1 - sample.wrong - sure)
    inside = [bins == number for number in np.unique(bins)]
    error = sum(abs(float((residuals / sample.probabilities)[one].sum())) for one in inside) / n
    calibrated = [_anticipated(np.where(one, sure * (1 - sure), 0.0), sample.probabilities) for one in inside]
    seen = [_variance(np.where(one, residuals, 0.0), sample.probabilities) for one in inside]
    interval = calibration_error_interval(error, np.sqrt(np.maximum(seen, calibrated)) / n)
    random, by_chance = np.random.default_rng(0), np.zeros(DRAWS)
    for one in inside:
        gaps = (random.random((DRAWS, int(one.sum()))) < sure[one]) - sure[one]
        by_chance += np.abs(gaps @ (1 / sample.probabilities[one])) / n
    return error, interval, float(np.quantile(by_chance, LEVEL))


def _brier(sample: Sample) -> Estimate:
    """As `_accuracy`, of the squared error of the confidence; calibrated ones let expect c (1 − c)."""
    everything, sure = np.ones(len(sample.confidences), dtype=bool), sample.confidences[sample.rows]
    expected = sample.confidences * (1 - sample.confidences)
    seen, unknown = (1 - sample.wrong - sure) ** 2, np.isnan(sample.wrong)
    spread = sure * (1 - sure) * (2 * sure - 1) ** 2
    fills = np.minimum(sure, 1 - sure) ** 2, sure * (1 - sure), np.maximum(sure, 1 - sure) ** 2
    best, middle, worst = (_mean(sample, everything, np.where(unknown, fill, seen), expected, spread) for fill in fills)
    return Estimate(middle.value, (best.interval[0], worst.interval[1]), middle.labels, middle.inferences)
