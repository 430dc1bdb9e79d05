"""The planner's numbers of labels are those that are then needed."""

import numpy as np
import pytest

from scones_core.domain.audit import UNKNOWN, Sample, figures
from scones_core.domain.audit_draw import added_probabilities, draw, inclusion_probabilities
from scones_core.domain.comparison import mcnemar_p_value
from scones_core.domain.known_answers import KnownAnswers
from scones_core.domain.planning import PlannedInterval, images_for_difference

RANDOM = np.random.default_rng(0)
CONFIDENCES = 0.5 + 0.5 * RANDOM.beta(4, 1, 2_000)
PREDICTIONS = RANDOM.integers(2, size=2_000)
CHANCES = RANDOM.random(2_000)
NOTHING = KnownAnswers.equal(np.empty(0), np.empty(0, dtype=bool))


def audited(labels: int, seed: int, *, surer: float) -> Sample:
    right = CONFIDENCES - surer > CHANCES
    probabilities = inclusion_probabilities(CONFIDENCES, labels)
    rows = draw(probabilities, seed)
    answers = np.where(right, PREDICTIONS, 1 - PREDICTIONS)[rows]
    return Sample(CONFIDENCES, PREDICTIONS, rows, probabilities[rows], answers)


def half_width(labels: int, *, surer: float) -> float:
    audits = [figures(audited(labels, seed, surer=surer), threshold=0.9, classes=2) for seed in range(40)]
    return float(np.mean([one.accuracy.half_width for one in audits]))


def plan(answers: KnownAnswers = NOTHING, begun: Sample | None = None) -> PlannedInterval:
    return PlannedInterval(CONFIDENCES, answers, begun)


def test_the_planned_labels_give_the_half_width():
    planned = plan().labels(0.04)
    assert planned
    assert half_width(round(0.8 * planned), surer=0.0) > 0.04
    assert half_width(round(1.2 * planned), surer=0.0) < 0.04


def test_known_answers_correct_a_model_that_is_too_sure():
    """From 1,000 answers, such as on test and held-out images."""
    needed = next(n for n in range(200, 2_000, 20) if half_width(n, surer=0.25) <= 0.04)
    planned = []
    for seed in range(100):
        rows = np.random.default_rng(seed).integers(2_000, size=1_000)
        planned.append(plan(KnownAnswers.equal(CONFIDENCES[rows], (CONFIDENCES - 0.25 > CHANCES)[rows])).labels(0.04))
    assert (plan().labels(0.04) or 0) < 0.8 * needed
    assert np.mean([0.8 * needed <= (count or 0) <= 1.2 * needed for count in planned]) >= 0.8


def extended(begun: Sample, labels: int, seed: int, *, surer: float | np.ndarray) -> Sample:
    before, after = (inclusion_probabilities(CONFIDENCES, count) for count in (len(begun.rows), labels))
    rows = np.concatenate([begun.rows, draw(added_probabilities(before, after, begun.rows), seed)])
    answers = np.where(CONFIDENCES - surer > CHANCES, PREDICTIONS, 1 - PREDICTIONS)[rows]
    return Sample(CONFIDENCES, PREDICTIONS, rows, after[rows], answers)


@pytest.mark.parametrize("surer", [0.0, 0.25])
def test_an_audit_extended_by_the_planned_labels_gives_the_half_width_and_holds_the_accuracy(surer: float):
    """Planned from its own 100 labels; ± .04 takes 150 or 480 of them."""
    accuracy, widths, held = np.mean(CONFIDENCES - surer > CHANCES), [], []
    for seed in range(200):
        begun = audited(100, seed, surer=surer)
        labels = plan(KnownAnswers.of_audit(begun), begun).labels(0.04)
        assert labels
        found = figures(extended(begun, labels, seed, surer=surer), threshold=0.9, classes=2).accuracy
        widths.append(found.half_width)
        held.append(found.interval[0] <= accuracy <= found.interval[1])
    assert np.mean(widths) == pytest.approx(0.04, rel=0.1)
    assert np.mean([0.03 < width < 0.05 for width in widths]) >= 0.9
    assert np.mean(held) >= 0.95 - 2 * 0.016


def test_half_widths_of_an_audit_that_has_its_labels_are_its_own():
    begun = audited(200, 1, surer=0.1)
    own = figures(begun, threshold=0.9, classes=2).accuracy.half_width
    assert plan(KnownAnswers.of_audit(begun), begun).half_width(200) == pytest.approx(own, rel=0.02)


def test_labels_that_are_all_right_so_far_do_not_make_the_planned_interval_narrower_than_it_will_be():
    surer = np.full(2_000, -1.0)  # every answer is right
    probabilities = inclusion_probabilities(CONFIDENCES, 30)
    rows = draw(probabilities, 1)
    begun = Sample(CONFIDENCES, PREDICTIONS, rows, probabilities[rows], PREDICTIONS[rows])
    own = figures(begun, threshold=0.9, classes=2).accuracy.half_width
    assert plan(KnownAnswers.of_audit(begun), begun).half_width(30) == pytest.approx(own, rel=0.02)
    widths = [
        figures(extended(begun, 60, seed, surer=surer), threshold=0.9, classes=2).accuracy.half_width
        for seed in range(50)
    ]
    certain = KnownAnswers(CONFIDENCES, np.ones(2_000), np.full(2_000, 1e6))
    assert plan(certain, begun).half_width(60) == pytest.approx(np.mean(widths), rel=0.1)


def test_images_that_nobody_can_label_leave_an_interval_that_no_number_of_labels_narrows():
    begun = audited(200, 1, surer=0.0)
    answers = np.where(np.arange(200) % 10 == 0, UNKNOWN, begun.answers)
    skipped = Sample(begun.confidences, begun.predictions, begun.rows, begun.probabilities, answers)
    assert plan(KnownAnswers.of_audit(skipped), skipped).labels(0.04) is None
    assert plan(KnownAnswers.of_audit(skipped), skipped).labels(0.09)
    own = figures(skipped, threshold=0.9, classes=2).accuracy.half_width
    assert plan(KnownAnswers.of_audit(skipped), skipped).half_width(200) == pytest.approx(own, rel=0.12)


@pytest.mark.parametrize("labels", [20, 80])
def test_a_first_audit_without_any_error_is_as_likely_as_it_is(labels: int):
    """Of inferences that are wrong once in a hundred, 20 labels are mostly all right: that interval is another one."""
    confidences, random, widths = np.linspace(0.98, 0.999, 1_000), np.random.default_rng(0), []
    probabilities = inclusion_probabilities(confidences, labels)
    for seed in range(400):
        rows, right = draw(probabilities, seed), random.random(1_000) < confidences
        answers = np.where(right, 1, 0)[rows]
        sample = Sample(confidences, np.ones(1_000, dtype=np.int64), rows, probabilities[rows], answers)
        widths.append(figures(sample, threshold=0.9, classes=2).accuracy.half_width)
    assert PlannedInterval(confidences, NOTHING).half_width(labels) == pytest.approx(np.mean(widths), rel=0.05)


def test_the_answers_of_an_audit_count_as_they_were_drawn():
    begun = audited(200, 1, surer=0.1)
    weights = KnownAnswers.of_audit(begun).weights
    assert weights * begun.probabilities == pytest.approx(weights[0] * begun.probabilities[0])
    assert weights.sum() == pytest.approx((1 / begun.probabilities).sum() ** 2 / (1 / begun.probabilities**2).sum())
    assert 100 < weights.sum() < 200


def test_all_labels_are_enough_for_any_width():
    assert PlannedInterval(CONFIDENCES[:50], NOTHING).labels(1e-6) == 50


def test_without_answers_confidences_are_taken_as_they_are():
    assert NOTHING.calibrated(CONFIDENCES) == pytest.approx(CONFIDENCES, abs=1e-4)


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
