"""Calibration figures, and the accuracy that confidences let expect, hold as often as they say."""

import numpy as np
import pytest

from scones_core.domain.confidence import accuracy_interval, calibration_error_interval
from scones_core.domain.metrics import BINS, brier, expected_calibration_error
from scones_core.domain.reliability import calibration, expected_accuracy


def answers(seed: int, count: int, surer: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """(labels, probabilities) of two classes; `surer` : by how much the model is surer than right."""
    random = np.random.default_rng(seed)
    confidences = 0.5 + 0.5 * random.beta(4, 1, count)
    right = random.random(count) < confidences - surer
    return np.where(right, 0, 1), np.column_stack([confidences, 1 - confidences])


def test_calibration_figures_are_those_of_the_metrics():
    labels, probabilities = answers(0, 200)
    found = calibration(labels, probabilities)
    assert (found.images, found.ece) == (200, expected_calibration_error(labels, probabilities))
    assert found.brier == brier(labels, probabilities)
    assert found.ece_interval[0] < found.ece_interval[1]
    assert sum(one.accuracy.labels for one in found.bins) == 200
    assert [one.confidence for one in found.bins] == sorted(one.confidence for one in found.bins)


def test_a_model_that_is_too_sure_exceeds_what_chance_explains():
    assert calibration(*answers(1, 1_000)).ece <= calibration(*answers(1, 1_000)).ece_by_chance * 1.2
    sure = calibration(*answers(1, 1_000, surer=0.2))
    assert sure.ece > 2 * sure.ece_by_chance


@pytest.mark.parametrize("images", [200, 1_000])
@pytest.mark.parametrize("surer", [0.0, 0.03, 0.15])
def test_the_interval_of_the_calibration_error_holds_it(images: int, surer: float):
    """Also of a calibrated model, whose error is seen above 0 in every sample."""
    held = [calibration(*answers(seed, images, surer)).ece_interval for seed in range(200)]
    assert np.mean([low <= surer <= high for low, high in held]) >= 0.95 - 2 * 0.016


@pytest.mark.parametrize("surer", [0.0, 0.3])
def test_the_interval_of_the_calibration_error_is_made_of_the_spread_in_each_bin(surer: float):
    """Of gaps as they are seen, or as large as calibrated confidences make them, whichever is more."""
    labels, probabilities = answers(3, 200, surer=surer)
    confidences, correct = probabilities.max(axis=1), labels == probabilities.argmax(axis=1)
    deviations = []
    for part in np.array_split(np.argsort(confidences, kind="stable"), BINS):
        seen = len(part) * np.var(correct[part] - confidences[part], ddof=1)
        calibrated = float(np.sum(confidences[part] * (1 - confidences[part])))
        deviations.append(max(seen, calibrated) ** 0.5 / 200)
    found = calibration(labels, probabilities)
    assert found.ece_interval == pytest.approx(calibration_error_interval(found.ece, np.array(deviations)))


def test_a_bin_has_ten_images_or_more_and_says_how_many_are_right():
    labels, probabilities = answers(4, 95)
    bins = calibration(labels, probabilities).bins
    assert len(bins) == 9
    confidences, correct = probabilities.max(axis=1), labels == probabilities.argmax(axis=1)
    for one, part in zip(bins, np.array_split(np.argsort(confidences, kind="stable"), 9), strict=True):
        right = int(correct[part].sum())
        assert one.confidence == pytest.approx(confidences[part].mean())
        assert one.accuracy.value == right / len(part)
        assert one.accuracy.interval == accuracy_interval(right, len(part))
        assert (one.accuracy.labels, one.accuracy.inferences) == (len(part), len(part))


def test_the_confidence_is_scored_as_the_probability_of_being_right():
    labels, probabilities = np.array([0, 0, 2]), np.array([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.0, 0.0, 1.0]])
    assert calibration(labels, probabilities).confidence_brier == pytest.approx((0.2**2 + 0.6**2) / 3)


def test_a_few_images_make_one_bin():
    assert len(calibration(*answers(2, 7)).bins) == 1


def test_the_expected_accuracy_is_the_mean_confidence_within_chance_and_the_error_of_the_confidences():
    answers, correct = np.array([0.9, 0.7, 0.8, 0.6]), np.array([True, True, False, True])
    found = expected_accuracy(100, 80.0, 15.0, answers, correct)
    assert (found.value, found.labels, found.inferences) == (0.8, 0, 100)
    half = 1.959964 * (15 / 100**2 + np.var([0.1, 0.3, -0.8, 0.4]) / 4) ** 0.5
    assert found.interval == pytest.approx((0.8 - half, 1.0))
    few = expected_accuracy(100, 80.0, 15.0, np.full(400, 0.8), np.arange(400) % 5 > 0)
    half = 1.959964 * (15 / 100**2 + 0.16 / 400) ** 0.5
    assert few.interval == pytest.approx((0.8 - half, 0.8 + half))


@pytest.mark.parametrize(("surer", "least", "most"), [(0.0, 0.92, 1.0), (0.3, 0.0, 0.02)])
def test_the_expected_accuracy_holds_while_confidences_are_right_and_not_else(surer: float, least: float, most: float):
    held = 0
    for seed in range(300):
        test_labels, tested = answers(10_000 + seed, 200)
        labels, probabilities = answers(seed, 1_000, surer=surer)
        confidences = probabilities.max(axis=1)
        sums = 1_000, float(confidences.sum()), float((confidences * (1 - confidences)).sum())
        low, high = expected_accuracy(*sums, tested.max(axis=1), tested.argmax(axis=1) == test_labels).interval
        held += low <= np.mean(labels == probabilities.argmax(axis=1)) <= high
    assert least <= held / 300 <= most
