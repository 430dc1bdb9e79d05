"""Half-width and coverage of an audit's 95% interval of accuracy, beside as many labels drawn at random.

Each run draws the period's inferences from the population with replacement, draws an audit among them, and asks whether
the interval holds the accuracy of all of them. The peer labels as many drawn at random: Clopper and Pearson's interval,
with the same correction for labelling a share of a finite number. In the same runs: the interval of the error among
those accepted at .93, and of each class's recall. `expected` is the accuracy that confidences let expect without a
label, with its interval from 200 test images as trained: it holds without drift only.
"""

import time
from typing import Any

import numpy as np

from benchmarks._population import DRIFTS, Population, populations
from scones_core.domain.audit import Sample, figures
from scones_core.domain.audit_draw import draw, inclusion_probabilities
from scones_core.domain.confidence import DEFAULT_THRESHOLD, share_interval
from scones_core.domain.reliability import expected_accuracy

INFERENCES, LABELS, TEST = 1_200, 100, 200
CLASSES = 2


def run(runs: int = 1000) -> dict[str, Any]:
    """Figures by drift: mean half-widths, their ratio, and coverages."""
    begun, found = time.perf_counter(), populations()
    calm = found[DRIFTS[0]]
    by_drift = {str(drift): _measured(found[drift], calm, runs, INFERENCES) for drift in DRIFTS}
    many = _measured(calm, calm, max(runs // 10, 1), 10 * INFERENCES)
    return {
        "images": len(calm.labels),
        "runs": runs,
        "inferences": INFERENCES,
        "labels": LABELS,
        "standard_error": float(np.sqrt(0.95 * 0.05 / runs)),
        **by_drift,
        f"none_of_{10 * INFERENCES}": many,
        "seconds": time.perf_counter() - begun,
    }


def _measured(population: Population, calm: Population, runs: int, inferences: int) -> dict[str, float]:
    rows = [_run(population, calm, inferences, seed) for seed in range(runs)]
    names = {name: np.array([row[name] for row in rows], dtype=float) for name in rows[0]}
    means = {name: float(np.nanmean(values)) for name, values in names.items()}
    return {**means, "ratio": means["half_width"] / means["random_half_width"]}


def _run(population: Population, calm: Population, inferences: int, seed: int) -> dict[str, float]:
    random = np.random.default_rng(seed)
    period = random.integers(len(population.labels), size=inferences)
    confidences, predictions = population.confidences[period], population.predictions[period]
    labels, correct = population.labels[period], population.correct[period]
    probabilities = inclusion_probabilities(confidences, LABELS)
    drawn = draw(probabilities, seed)
    sample = Sample(confidences, predictions, drawn, probabilities[drawn], labels[drawn])
    found = figures(sample, threshold=DEFAULT_THRESHOLD, classes=CLASSES)
    accepted = confidences > DEFAULT_THRESHOLD
    risk = found.risk_accepted
    recalls = [(found.recall[k], float(np.mean(predictions[labels == k] == k))) for k in range(CLASSES)]
    at_random = random.choice(inferences, LABELS, replace=False)
    peer = share_interval(float(correct[at_random].mean()), LABELS / (1 - LABELS / inferences), 0.95)
    tested = random.integers(len(calm.labels), size=TEST)
    sums = inferences, float(confidences.sum()), float((confidences * (1 - confidences)).sum())
    expected = expected_accuracy(*sums, calm.confidences[tested], calm.correct[tested])
    return {
        "accuracy": float(correct.mean()),
        "expected": expected.value,
        "expected_coverage": _holds(expected.interval, float(correct.mean())),
        "estimate": found.accuracy.value,
        "half_width": found.accuracy.half_width,
        "coverage": _holds(found.accuracy.interval, float(correct.mean())),
        "random_half_width": (peer[1] - peer[0]) / 2,
        "random_coverage": _holds(peer, float(correct.mean())),
        "risk_coverage": _holds(risk.interval, float(1 - correct[accepted].mean())) if risk else np.nan,
        "risk_half_width": risk.half_width if risk else np.nan,
        "recall_coverage": float(np.nanmean([_holds(of.interval, true) if of else np.nan for of, true in recalls])),
    }


def _holds(interval: tuple[float, float], truth: float) -> float:
    return float(interval[0] <= truth <= interval[1])
