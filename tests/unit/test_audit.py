"""An audit's estimates hold as often as promised, whatever the model thinks of itself."""

import numpy as np
import pytest

from scones_core.domain.audit import OTHER, UNKNOWN, Estimate, Sample, figures
from scones_core.domain.audit_draw import Draw, added_probabilities, draw, inclusion_probabilities, so_far
from scones_core.domain.confidence import accuracy_interval, share_interval

N = 1_000


def world(seed: int, *, surer: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(confidences, predictions, labels) of inferences; `surer` : by how much the model is surer than right."""
    random = np.random.default_rng(seed)
    confidences = 0.5 + 0.5 * random.beta(4, 1, N)
    predictions = random.integers(2, size=N)
    right = random.random(N) < confidences - surer
    return confidences, predictions, np.where(right, predictions, 1 - predictions)


def audited(seed: int, labels: int, *, surer: float = 0.0) -> tuple[Sample, np.ndarray]:
    confidences, predictions, truth = world(seed, surer=surer)
    probabilities = inclusion_probabilities(confidences, labels)
    rows = draw(probabilities, seed)
    return Sample(confidences, predictions, rows, probabilities[rows], truth[rows]), truth


def test_the_probabilities_add_up_to_the_labels_and_no_inference_is_left_out():
    confidences, _, _ = world(0)
    probabilities = inclusion_probabilities(confidences, 100)
    assert probabilities.sum() == pytest.approx(100)
    assert probabilities.min() >= 100 / N / 3
    assert np.corrcoef(probabilities, np.sqrt(confidences * (1 - confidences)))[0, 1] == pytest.approx(1)


def test_a_certain_draw_leaves_the_rest_of_the_labels_to_the_others():
    confidences = np.array([0.5, 0.5, *np.full(98, 0.9999)])
    probabilities = inclusion_probabilities(confidences, 50)
    assert probabilities[:2].tolist() == [1, 1]
    assert probabilities.sum() == pytest.approx(50)
    assert probabilities.max() <= 1


def test_a_model_that_is_sure_of_everything_is_audited_at_random():
    assert inclusion_probabilities(np.ones(10), 4).tolist() == pytest.approx([0.4] * 10)


@pytest.mark.parametrize("labels", [10, 11])
def test_as_many_labels_as_inferences_are_all_of_them(labels: int):
    probabilities = inclusion_probabilities(np.linspace(0.5, 1, 10), labels)
    assert sorted(draw(probabilities, 0)) == list(range(10))


def test_an_inference_that_would_be_drawn_more_than_once_is_drawn_for_certain_and_others_get_its_surplus():
    """By hand: the first one's share is 1.69 of 3 labels; the two that are left go to five that are alike."""
    assert inclusion_probabilities(np.array([0.5] + [0.999] * 5), 3) == pytest.approx([1] + [0.4] * 5)


def test_as_many_are_drawn_as_were_asked_for_each_once_and_the_same_for_a_seed():
    probabilities = inclusion_probabilities(world(1)[0], 137)
    first = draw(probabilities, 5)
    assert len(set(first.tolist())) == 137
    assert draw(probabilities, 5).tolist() == first.tolist()
    assert draw(probabilities, 6).tolist() != first.tolist()


def test_each_inference_is_drawn_as_often_as_its_probability_says():
    probabilities = inclusion_probabilities(np.linspace(0.5, 0.999, 20), 6)
    drawn = np.zeros(20)
    for seed in range(3_000):
        drawn[draw(probabilities, seed)] += 1
    assert drawn / 3_000 == pytest.approx(probabilities, abs=4 * np.sqrt(0.25 / 3_000))


def test_the_first_labels_of_an_audit_are_a_smaller_audit():
    """The order says nothing: of the first half of the draw every inference is part half as often."""
    probabilities = inclusion_probabilities(np.linspace(0.5, 0.999, 20), 6)
    drawn = np.zeros(20)
    for seed in range(3_000):
        drawn[draw(probabilities, seed)[:3]] += 1
    assert drawn / 3_000 == pytest.approx(so_far([Draw(probabilities, 6)], 3), abs=0.04)


def test_an_extended_audit_has_drawn_each_inference_as_often_as_a_larger_one_at_every_label():
    before, after = (inclusion_probabilities(np.linspace(0.5, 0.999, 20), count) for count in (4, 10))
    drawn, counts = np.zeros((3, 20)), []
    for seed in range(3_000):
        first = draw(before, seed)
        second = draw(added_probabilities(before, after, first), seed + 1)
        assert not set(first) & set(second)
        counts.append(len(second))
        for row, labels in zip(drawn, (2, 4 + len(second) // 2, 4 + len(second)), strict=True):
            row[np.concatenate([first, second])[:labels]] += 1
    draws = [Draw(before, 4), Draw(after, 6)]
    for row, labels in zip(drawn, (2, 7, 10), strict=True):
        assert row / 3_000 == pytest.approx(so_far(draws, labels), abs=0.04)
    assert np.mean(counts) == pytest.approx(6, abs=0.1)
    assert set(counts) <= {5, 6, 7}


def coverage(surer: float, *, labels: int = 100, first: int | None = None, runs: int = 500) -> float:
    held = 0
    for seed in range(runs):
        sample, truth = audited(seed, labels, surer=surer)
        if first:
            sample = Sample(
                sample.confidences,
                sample.predictions,
                sample.rows[:first],
                sample.probabilities[:first] * first / labels,
                sample.answers[:first],
            )
        low, high = figures(sample, threshold=0.93, classes=2).accuracy.interval
        held += low <= np.mean(truth == sample.predictions) <= high
    return held / runs


@pytest.mark.parametrize("surer", [0.0, 0.3])
def test_the_interval_holds_the_accuracy_in_95_of_100_audits_also_where_confidences_lie(surer: float):
    assert coverage(surer) >= 0.95 - 2 * 0.01


def test_the_interval_holds_while_an_audit_is_half_done():
    assert coverage(0.3, first=40) >= 0.95 - 2 * 0.01


def test_the_interval_is_no_wider_than_it_must_be():
    assert coverage(0.0, runs=400) <= 0.99


def test_the_estimate_is_right_on_average_however_wrong_the_confidences_are():
    found = []
    for seed in range(300):
        sample, truth = audited(seed, 100, surer=0.3)
        estimate = figures(sample, threshold=0.93, classes=2).accuracy.value
        found.append(estimate - np.mean(truth == sample.predictions))
    assert abs(np.mean(found)) <= 2.5 * np.std(found) / np.sqrt(300)


def test_an_audit_is_worth_more_than_as_many_random_labels():
    halves, peers = [], []
    for seed in range(100):
        sample, truth = audited(seed, 100)
        halves.append(figures(sample, threshold=0.93, classes=2).accuracy.half_width)
        low, high = accuracy_interval(int((truth == sample.predictions)[seed : seed + 100].sum()), 100)
        peers.append((high - low) / 2)
    assert np.mean(halves) < 0.9 * np.mean(peers)


def holds(estimate: Estimate | None, truth: float) -> bool:
    return estimate is None or estimate.interval[0] <= truth <= estimate.interval[1]


def test_the_error_among_the_accepted_and_the_recall_hold_as_often():
    risk, recalls = 0, [0, 0]
    for seed in range(400):
        sample, truth = audited(seed, 100, surer=0.05)
        found = figures(sample, threshold=0.93, classes=2)
        accepted = sample.confidences > 0.93
        risk += holds(found.risk_accepted, float(np.mean((truth != sample.predictions)[accepted])))
        for k in (0, 1):
            recalls[k] += holds(found.recall[k], float(np.mean(sample.predictions[truth == k] == k)))
    assert min(risk, *recalls) / 400 >= 0.95 - 2 * 0.011


@pytest.mark.parametrize("surer", [0.0, 0.2])
def test_calibration_error_and_brier_score_in_production_hold_as_often(surer: float):
    errors, briers, by_chance = 0, 0, 0
    seen, levels = [], []
    for seed in range(200):
        sample, truth = audited(seed, 100, surer=surer)
        found = figures(sample, threshold=0.93, classes=2)
        right = truth == sample.predictions
        ends = np.sort([one.confidence for one in found.reliability])
        bins = np.abs(sample.confidences[:, None] - ends).argmin(axis=1)
        gaps = np.bincount(bins, right - sample.confidences)
        errors += found.ece_interval[0] <= np.abs(gaps).sum() / N <= found.ece_interval[1]
        briers += holds(found.confidence_brier, float(np.mean((sample.confidences - right) ** 2)))
        by_chance += found.ece > found.ece_by_chance
        seen.append(found.ece)
        levels.append(found.ece_by_chance)
    assert min(errors, briers) / 200 >= 0.95 - 2 * 0.016
    assert (by_chance / 200 <= 0.05 + 2 * 0.016) if surer == 0 else (by_chance / 200 > 0.5)
    if surer == 0:
        assert np.mean(levels) == pytest.approx(np.quantile(seen, 0.95), rel=0.06)


def test_a_complete_audit_knows_calibration_error_and_brier_score():
    found = figures(small([0] * 7 + [1, 1, OTHER]), threshold=0.5, classes=2)
    assert found.ece == pytest.approx(0.1)
    assert found.ece_interval[0] <= found.ece <= found.ece_interval[1]
    assert found.confidence_brier.value == pytest.approx((7 * 0.2**2 + 3 * 0.8**2) / 10)


def small(answers: list[int]) -> Sample:
    """All of ten inferences are predicted 0 at .8, and all are labelled."""
    return Sample(np.full(10, 0.8), np.zeros(10, int), np.arange(10), np.ones(10), np.array(answers))


def test_what_is_labelled_completely_is_known():
    found = figures(small([0, 0, 0, 0, 0, 0, 0, 1, 1, OTHER]), threshold=0.5, classes=2)
    assert found.accuracy.value == pytest.approx(0.7)
    assert found.accuracy.interval == pytest.approx((0.7, 0.7))
    assert (found.accuracy.labels, found.accuracy.inferences) == (10, 10)
    risk = found.risk_accepted
    assert risk is not None
    assert (risk.value, *risk.interval) == pytest.approx((0.3, 0.3, 0.3))
    assert (risk.labels, risk.inferences) == (10, 10)
    assert found.other.value == pytest.approx(0.1)
    assert found.recall[0] is not None
    assert found.recall[0].value == 1
    assert found.recall[1] is not None
    assert found.recall[1].value == 0
    assert found.confidence_gap == pytest.approx((0.1, 0.1, 0.1))


def test_images_that_nobody_could_label_may_be_right_or_wrong():
    found = figures(small([0, 0, 0, 0, 0, 0, 1, 1, UNKNOWN, UNKNOWN]), threshold=0.5, classes=2)
    assert found.accuracy.interval == pytest.approx((0.6, 0.8))
    assert found.unknown.value == pytest.approx(0.2)


def test_accepted_labels_without_an_error_promise_no_more_than_as_many_random_ones():
    confidences = np.full(400, 0.99)
    rows = np.arange(100)
    sample = Sample(confidences, np.zeros(400, int), rows, np.full(100, 0.25), np.zeros(100, int))
    risk = figures(sample, threshold=0.93, classes=2).risk_accepted
    assert risk is not None
    assert risk.interval == pytest.approx((0, 1 - accuracy_interval(100, 100)[0]))


def test_what_no_label_shows_may_still_occur():
    """100 of 400 labelled, none of them skipped or of no class: at most 3.6% of all are, as of random labels."""
    sample = Sample(np.full(400, 0.9), np.zeros(400, int), np.arange(100), np.full(100, 0.25), np.zeros(100, int))
    found = figures(sample, threshold=0.5, classes=2)
    for share in (found.other, found.unknown):
        assert share.value == 0
        assert share.interval == pytest.approx((0, 1 - accuracy_interval(100, 100)[0]))


def test_the_accuracy_of_a_part_is_not_narrower_than_calibrated_confidences_allow():
    """A quarter of 400 labelled, all at .8, and 2 of 100 wrong; by hand. Of all, what is seen counts."""
    answers = np.where(np.isin(np.arange(100), (0, 50)), 1, 0)
    confidences = np.concatenate([np.full(200, 0.8), np.full(200, 0.8 - 1e-9)])
    rows = np.concatenate([np.arange(50), 200 + np.arange(50)])
    found = figures(
        Sample(confidences, np.zeros(400, int), rows, np.full(100, 0.25), answers), threshold=0.8 - 1e-10, classes=2
    )
    assert found.accuracy.value == pytest.approx(0.98)
    seen = 100 / 99 * 0.75 * (98 * 0.08**2 + 2 * 3.92**2) / 400**2
    assert found.accuracy.interval == pytest.approx(share_interval(0.98, 0.98 * 0.02 / seen, 0.95), abs=1e-6)
    calibrated = 50 * 0.75 / 0.25**2 * 0.16 / 200**2
    low, high = share_interval(0.98, 0.98 * 0.02 / calibrated, 0.95)
    assert found.risk_accepted is not None
    assert (found.risk_accepted.labels, found.risk_accepted.inferences) == (50, 200)
    assert found.risk_accepted.interval == pytest.approx((1 - high, 1 - low), abs=1e-6)


def test_a_recall_from_a_few_labels_is_not_narrower_than_calibrated_confidences_allow():
    confidences = np.concatenate([np.full(30, 0.99), np.full(10, 0.55)])
    answers = np.concatenate([np.zeros(15, int), [1], np.zeros(4, int)])
    rows = np.concatenate([np.arange(15), np.arange(30, 35)])
    sample = Sample(confidences, np.where(np.arange(40) == 31, 1, 0), rows, np.full(20, 0.5), answers)
    found = figures(sample, threshold=0.5, classes=2).recall[0]
    assert found is not None
    assert found.interval[1] - found.interval[0] > 0.05


def test_without_an_accepted_label_nothing_is_said_of_the_accepted():
    assert figures(small([0] * 10), threshold=0.93, classes=2).risk_accepted is None
    assert figures(small([0] * 10), threshold=0.8, classes=2).risk_accepted is None  # it must be exceeded


def test_without_a_label_an_audit_says_nothing():
    empty = Sample(np.full(3, 0.9), np.zeros(3, int), np.array([], int), np.array([]), np.array([], int))
    with pytest.raises(ValueError, match="without a label"):
        figures(empty, threshold=0.9, classes=2)
