import pytest

from scones_core.domain.comparison import Verdict, compare, difference_interval, mcnemar_p_value


def test_mcnemar_agrees_with_the_binomial_test():
    from scipy.stats import binomtest

    for b, c in [(0, 0), (5, 0), (3, 9), (10, 10), (40, 20)]:
        expected = binomtest(b, b + c).pvalue if b + c else 1.0
        assert mcnemar_p_value(b, c) == pytest.approx(expected)


def test_a_challenger_that_only_gains_is_better():
    labels = [0] * 20
    found = compare(labels, champion=[1] * 10 + [0] * 10, challenger=[0] * 20)
    assert found.verdict is Verdict.BETTER
    assert (found.champion_accuracy, found.challenger_accuracy) == (0.5, 1.0)
    assert found.difference_interval[0] > 0


def test_a_challenger_that_only_loses_is_worse():
    found = compare([0] * 20, champion=[0] * 20, challenger=[1] * 10 + [0] * 10)
    assert found.verdict is Verdict.WORSE
    assert found.difference == -0.5


def test_two_equal_models_show_no_difference_and_an_interval_around_zero():
    found = compare([0, 1, 0, 1], champion=[0, 1, 1, 1], challenger=[0, 1, 1, 1])
    assert found.verdict is Verdict.NO_DIFFERENCE
    low, high = found.difference_interval
    assert low < 0 < high


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says():
    import numpy as np

    random, covered, n = np.random.default_rng(0), 0, 150
    for _ in range(500):
        gained, lost, _ = random.multinomial(n, [0.12, 0.06, 0.82])
        low, high = difference_interval(int(gained), int(lost), n)
        covered += low <= 0.06 <= high
    assert covered / 500 > 0.92


def test_nothing_to_compare_on_is_refused():
    with pytest.raises(ValueError, match="no image"):
        compare([], [], [])
