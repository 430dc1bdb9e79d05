"""The planner's numbers of labels are those that are then needed."""

import numpy as np
import pytest

from scones_core.domain.audit import Sample, figures
from scones_core.domain.audit_draw import draw, inclusion_probabilities
from scones_core.domain.comparison import mcnemar_p_value
from scones_core.domain.planning import images_for_difference, labels_for_interval

RANDOM = np.random.default_rng(0)
CONFIDENCES = 0.5 + 0.5 * RANDOM.beta(4, 1, 2_000)
PREDICTIONS = RANDOM.integers(2, size=2_000)
CHANCES = RANDOM.random(2_000)


def audited(labels: int, seed: int, *, surer: float) -> Sample:
    right = CONFIDENCES - surer > CHANCES
    probabilities = inclusion_probabilities(CONFIDENCES, labels)
    rows = draw(probabilities, seed)
    answers = np.where(right, PREDICTIONS, 1 - PREDICTIONS)[rows]
    return Sample(CONFIDENCES, PREDICTIONS, rows, probabilities[rows], answers)


def half_width(labels: int, *, surer: float) -> float:
    audits = [figures(audited(labels, seed, surer=surer), threshold=0.9, classes=2) for seed in range(40)]
    return float(np.mean([one.accuracy.half_width for one in audits]))


def test_the_planned_labels_give_the_half_width():
    planned = labels_for_interval(CONFIDENCES, 0.04)
    assert half_width(round(0.8 * planned), surer=0.0) > 0.04
    assert half_width(round(1.2 * planned), surer=0.0) < 0.04


def test_an_earlier_audit_corrects_a_model_that_is_too_sure():
    planned = [labels_for_interval(CONFIDENCES, 0.04, earlier=audited(150, seed, surer=0.25)) for seed in range(100)]
    needed = next(n for n in range(200, 2_000, 20) if half_width(n, surer=0.25) <= 0.04)
    assert labels_for_interval(CONFIDENCES, 0.04) < 0.8 * needed
    assert np.mean([0.8 * needed <= count <= 1.2 * needed for count in planned]) >= 0.8


def test_all_labels_are_enough_for_any_width():
    assert labels_for_interval(CONFIDENCES[:50], 1e-6) == 50


@pytest.mark.parametrize(("better", "worse"), [(60, 20), (70, 50)])
def test_on_the_planned_images_a_difference_is_found_in_four_of_five_cases(better: int, worse: int):
    planned = images_for_difference((better - worse) / 1_000, better + worse, 1_000)
    shares = [better / 1_000, worse / 1_000, 1 - (better + worse) / 1_000]
    drawn = RANDOM.multinomial(planned, shares, size=2_000)
    found = np.mean([mcnemar_p_value(int(b), int(c)) < 0.05 for b, c, _ in drawn])
    assert 0.75 <= found <= 0.86


def test_the_images_of_a_comparison_are_connors_number():
    """By hand: (1.960 √.24 + .842 √(.24 − .14²))² / .14² = 93.7."""
    assert images_for_difference(0.14, 23, 98) == 94


def test_a_difference_is_planned_alike_whatever_was_seen_of_it():
    """From 1,000 images on which the models disagree as often as they do: 12 of 100."""
    planned = [images_for_difference(0.04, int(RANDOM.binomial(1_000, 0.12)), 1_000) for _ in range(500)]
    needed = images_for_difference(0.04, 120_000, 1_000_000)
    assert np.mean([0.8 * needed <= count <= 1.2 * needed for count in planned]) >= 0.8


def test_models_that_never_disagreed_may_still_differ():
    assert 0 < images_for_difference(0.01, 0, 50) < 100_000
