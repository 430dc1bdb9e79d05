import math

import numpy as np
import pytest

from benchmarks._badge import Drift, class_p_value, drift, ks_distance, ks_p_value
from scones_core.domain.drift import DriftLevel

RANDOM = np.random.default_rng(0)


def test_the_ks_test_agrees_with_scipys():
    from scipy.stats import ks_2samp

    a, b = RANDOM.beta(5, 1, 200), RANDOM.beta(4, 1, 300)
    expected = ks_2samp(a, b, method="asymp")
    assert ks_distance(a, b) == pytest.approx(expected.statistic)
    assert ks_p_value(ks_distance(a, b), 200, 300) == pytest.approx(expected.pvalue, abs=0.02)
    assert ks_p_value(0.0, 200, 300) == 1.0


@pytest.mark.parametrize(("distance", "n", "m"), [(0.45, 20, 20), (0.2, 50, 200)])
def test_few_inferences_count_for_as_much_as_stephens_found(distance: float, n: int, m: int):
    effective = math.sqrt(n * m / (n + m))
    x = (effective + 0.12 + 0.11 / effective) * distance
    assert ks_p_value(distance, n, m) == pytest.approx(
        2 * sum((-1) ** (j - 1) * math.exp(-2 * (j * x) ** 2) for j in range(1, 50))
    )


def test_the_smallest_probability_of_a_class_mix_is_one_in_4001():
    assert class_p_value(np.array([1000, 0]), np.array([0, 1000])) == 1 / 4001


def test_the_class_test_agrees_with_fishers_on_two_classes():
    from scipy.stats import fisher_exact

    for first, second in ([12, 12], [30, 10]), ([50, 50], [40, 60]), ([100, 3], [90, 10]):
        expected = fisher_exact([first, second]).pvalue
        assert class_p_value(np.array(first), np.array(second)) == pytest.approx(expected, abs=0.03)


def test_the_same_kind_of_traffic_is_no_drift():
    a, b = RANDOM.beta(5, 1, 200), RANDOM.beta(5, 1, 100)
    assert drift(a, b, [0, 1] * 100, [0, 1] * 50, classes=2).level is DriftLevel.NONE


def test_lower_confidences_are_drift():
    a, b = RANDOM.beta(9, 1, 200), RANDOM.beta(3, 1, 100)
    assert drift(a, b, [0, 1] * 100, [0, 1] * 50, classes=2).level is DriftLevel.DRIFT


def test_another_class_mix_is_drift_at_equal_confidences():
    a, b = RANDOM.beta(9, 1, 200), RANDOM.beta(9, 1, 100)
    assert drift(a, b, [0, 1] * 100, [1] * 100, classes=2).level is DriftLevel.DRIFT


@pytest.mark.parametrize(
    ("reference", "recent", "level"),
    [(19, 200, DriftLevel.UNKNOWN), (200, 19, DriftLevel.UNKNOWN), (20, 20, DriftLevel.DRIFT)],
)
def test_fewer_than_twenty_inferences_say_nothing(reference: int, recent: int, level: DriftLevel):
    found = drift(np.full(reference, 0.9), np.full(recent, 0.6), [0] * reference, [1] * recent, classes=2)
    assert (found.level, found.reference, found.recent) == (level, reference, recent)


def test_a_class_that_nothing_is_predicted_as_any_more_is_drift():
    same = np.linspace(0.5, 1, 90)
    found = drift(same, same, [0, 1, 2] * 30, [0, 1, 0] * 30, classes=4)
    assert (found.level, found.class_shift) == (DriftLevel.DRIFT, pytest.approx(1 / 3))


def looks(count: int) -> list[Drift]:
    """Each at 100 inferences of the same kind as the 200 reference ones."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(count):
        confidences, classes = random.beta(5, 1, 300), random.integers(2, size=300).tolist()
        found.append(drift(confidences[:200], confidences[200:], classes[:200], classes[200:], classes=2))
    return found


def test_of_a_hundred_looks_without_drift_one_at_most_calls_it():
    called = sum(look.level is DriftLevel.DRIFT for look in looks(1000))
    assert called <= 0.01 * 1000 + 2 * 3.2


def shifted(count: int) -> Drift:
    """100 inferences, of which `count` fell into the first class, which is half of the 200 reference ones."""
    same = np.linspace(0.5, 1, 200)
    return drift(same, same[::2], [0, 1] * 100, [0] * count + [1] * (100 - count), classes=2)


def test_drift_is_called_below_a_probability_of_one_in_two_hundred():
    found = [shifted(count) for count in range(50, 81)]
    chances = [look.class_p_value for look in found]
    assert any(0.005 < p < 0.01 for p in chances)
    assert any(0.002 < p < 0.005 for p in chances)
    assert [look.level is DriftLevel.DRIFT for look in found] == [p < 0.005 for p in chances]


def test_drift_of_the_confidences_is_called_at_the_same_probability():
    """Looks at confidences that differ by a little more each time."""
    reference, classes = np.linspace(0.5, 1, 20_000), [0, 1] * 10_000
    found = [drift(reference, reference - 0.5 * k / 20_000, classes, classes, classes=2) for k in range(340, 352)]
    chances = [look.p_value for look in found]
    assert any(0.005 < p < 0.0052 for p in chances)
    assert any(0.0048 < p < 0.005 for p in chances)
    assert [look.level is DriftLevel.DRIFT for look in found] == [p < 0.005 for p in chances]
