"""Figures of a classifier, against values worked out by hand."""

import math

import numpy as np
import pytest

from scones_core.domain.metrics import (
    accuracy,
    balanced_accuracy,
    brier,
    calibration_floor,
    confusion_matrix,
    evaluate,
    expected_calibration_error,
    log_loss,
    recalls,
)

LABELS = [0, 1, 1, 0]
PROBABILITIES = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]]


def test_accuracy_counts_a_tie_for_the_lower_index():
    assert accuracy(LABELS, PROBABILITIES) == 0.75


def test_log_loss_is_in_nats():
    assert log_loss(LABELS, PROBABILITIES) == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.5]).mean())


def test_log_loss_of_a_uniform_guess_is_the_log_of_the_number_of_classes():
    assert log_loss([0, 1, 2], np.full((3, 3), 1 / 3)) == pytest.approx(math.log(3))


def test_log_loss_of_a_certain_error_is_finite():
    assert log_loss([1], [[1.0, 0.0]]) == pytest.approx(34.54, abs=0.01)


def test_log_loss_of_certain_truth_is_zero_without_a_sign():
    assert str(log_loss([0], [[1.0, 0.0]])) == "0.0"


def test_brier_score_sums_over_the_classes():
    assert brier([1], [[1.0, 0.0]]) == 2.0
    assert brier(LABELS, PROBABILITIES) == pytest.approx(2 * np.mean([0.01, 0.04, 0.36, 0.25]))


def test_confusion_rows_are_the_labels():
    assert confusion_matrix([0, 0, 1], [[0.4, 0.6], [0.9, 0.1], [0.1, 0.9]]).tolist() == [[1, 1], [0, 1]]


def test_a_class_without_an_image_has_its_row_and_column():
    assert confusion_matrix([0], [[0.6, 0.4, 0.0]]).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_calibration_error_of_one_bin_is_the_gap_between_confidence_and_accuracy():
    assert expected_calibration_error(LABELS, PROBABILITIES, bins=1) == pytest.approx(0.75 - 0.7)


def test_calibration_bins_hold_equally_many_images():
    # By confidence: .5 right, .6 wrong | .8 right, .9 right
    expected = (abs(0.5 + 0.6 - 1) + abs(0.8 + 0.9 - 2)) / 4
    assert expected_calibration_error(LABELS, PROBABILITIES, bins=2) == pytest.approx(expected)


def test_calibration_has_fifteen_bins_unless_told_otherwise():
    p = np.linspace(0.5, 1, 240)
    labels, both = np.random.default_rng(0).integers(2, size=240), np.stack([p, 1 - p], 1)
    assert expected_calibration_error(labels, both) == expected_calibration_error(labels, both, bins=15)
    assert calibration_floor(p) == calibration_floor(p, 15)
    assert len({expected_calibration_error(labels, both, bins=bins) for bins in (14, 15, 16)}) == 3


def test_equal_confidences_keep_their_order():
    labels = np.repeat([0, 1], 500)  # the first half is right
    assert expected_calibration_error(labels, np.tile([0.75, 0.25], (1000, 1)), bins=2) == (0.25 + 0.75) / 2


def test_a_calibrated_model_has_a_small_calibration_error_and_an_overconfident_one_a_large_one():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 1, 20_000)
    labels = (rng.uniform(size=len(p)) > p).astype(int)
    honest, boastful = np.stack([p, 1 - p], 1), np.tile([0.99, 0.01], (len(p), 1))
    assert expected_calibration_error(labels, honest) < 0.015
    assert expected_calibration_error(labels, boastful) > 0.2


def simulated(confidences: np.ndarray, runs: int) -> list[float]:
    """Calibration errors of a model that is right as often as it says."""
    rng = np.random.default_rng(7)
    p = np.stack([confidences, 1 - confidences], 1)
    return [expected_calibration_error((rng.uniform(size=len(p)) > confidences).astype(int), p) for _ in range(runs)]


def test_the_floor_is_what_a_perfectly_calibrated_model_shows_by_chance():
    confidences = 0.5 + 0.5 * np.random.default_rng(1).beta(5, 1, 203)
    errors, floor = simulated(confidences, 1000), calibration_floor(confidences)
    assert floor.mean == pytest.approx(np.mean(errors), rel=0.03)
    assert np.mean(np.array(errors) > floor.upper) == pytest.approx(0.05, abs=0.02)


def test_the_floor_sinks_with_the_number_of_images():
    few, many = calibration_floor(np.full(100, 0.9)), calibration_floor(np.full(10_000, 0.9))
    assert few.mean > 5 * many.mean > 0


def test_the_same_confidences_give_the_same_floor_in_any_order():
    confidences = np.linspace(0.5, 1, 50)
    assert calibration_floor(confidences) == calibration_floor(confidences[::-1])


def test_a_model_that_is_always_certain_has_no_floor():
    assert calibration_floor([1.0, 1.0]).upper == 0.0


def test_a_floor_is_found_for_more_than_a_million_images():
    assert 0 < calibration_floor(np.full(1_000_001, 0.9), draws=2).mean < 0.01


@pytest.mark.parametrize("confidences", [[], [[0.9], [0.8]]])
def test_what_is_no_list_of_confidences_has_no_floor(confidences: list[float]):
    with pytest.raises(ValueError, match="confidences"):
        calibration_floor(confidences)


def test_evaluate_gives_json_values_under_the_agreed_names():
    found = evaluate(LABELS, PROBABILITIES).as_dict()
    assert list(found) == ["accuracy", "log_loss", "ece", "brier", "confusion", "recall", "balanced_accuracy"]
    assert found["confusion"] == [[2, 0], [1, 1]]
    assert all(type(count) is int for row in found["confusion"] for count in row)


@pytest.mark.parametrize(
    ("labels", "probabilities"),
    [
        ([], np.zeros((0, 2))),
        (np.array([], dtype=int), np.zeros((0, 2))),
        ([0], [[0.5, 0.5], [0.5, 0.5]]),
        ([[0], [1]], [[0.5, 0.5], [0.5, 0.5]]),
        ([0], [1.0]),
    ],
)
def test_what_does_not_fit_together_is_refused(labels: list[int], probabilities: list[list[float]]):
    with pytest.raises(ValueError, match="labels of shape .* do not fit probabilities"):
        evaluate(labels, probabilities)


@pytest.mark.parametrize("label", [2, -1, 0.0])
def test_a_label_that_is_no_class_index_is_refused(label: float):
    with pytest.raises(ValueError, match="labels must be class indices from 0 to 1$"):
        evaluate([label], [[0.5, 0.5]])


def test_a_rare_class_that_is_missed_shows_in_balanced_accuracy_and_recall():
    """26 of 526 images, of which 8 are found: accuracy hides it."""
    labels = [1] * 26 + [0] * 500
    p = [[0.2, 0.8]] * 8 + [[0.9, 0.1]] * 518
    found = evaluate(labels, p)
    assert found.accuracy == pytest.approx(508 / 526)
    assert found.recall == [pytest.approx(1), pytest.approx(8 / 26)]
    assert found.balanced_accuracy == pytest.approx((1 + 8 / 26) / 2)
    assert recalls([[3, 1], [0, 0]]) == [0.75, None]
    assert balanced_accuracy([[3, 1], [0, 0]]) == 0.75
