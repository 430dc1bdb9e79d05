import numpy as np
import pytest
from scipy.special import bdtr, bdtrc
from scipy.stats import chi2, norm

from scones_core.domain.confidence import (
    accuracy_interval,
    coverage,
    figures_at,
    is_low,
    propose_threshold,
    risk_upper_bound,
    steady,
)


def test_an_inference_at_the_threshold_is_low_confidence():
    assert is_low(0.93, 0.93)
    assert not is_low(0.930001, 0.93)


def test_shares_that_differ_by_chance_are_steady_and_others_are_not():
    rng, of = np.random.default_rng(0), [200] * 50
    steadily = [steady(rng.binomial(of, 0.4).tolist(), of) for _ in range(500)]
    assert 0.97 <= np.mean(steadily) <= 1  # level 0.01
    assert not steady([80] * 49 + [130], of)
    assert steady([0] * 50, of)
    assert steady([5], [9])
    assert steady([], [])


def test_shares_are_steady_by_pearsons_test_and_by_the_period_that_differs_most():
    """SciPy's chi-squared and normal distributions as the oracle, but for a tenth around the level."""
    rng, seen = np.random.default_rng(1), {True: 0, False: 0}
    for _ in range(2_000):
        of = rng.integers(60, 400, rng.integers(2, 12))
        low = rng.binomial(
            of, np.clip(rng.uniform(0.2, 0.6) + 0.06 * rng.random() * rng.normal(size=len(of)), 0.05, 0.95)
        )
        share = low.sum() / of.sum()
        differences = (low - of * share) / np.sqrt(of * share * (1 - share))
        together = chi2.sf(np.square(differences).sum(), len(of) - 1)
        furthest = 2 * len(of) * norm.sf(np.abs(differences).max())
        if all(abs(p - 0.005) > 0.0005 for p in (together, furthest)):
            expected = bool(together > 0.005 and furthest > 0.005)
            assert steady(low.tolist(), of.tolist()) is expected
            seen[expected] += 1
    assert min(seen.values()) > 200


def test_two_periods_can_differ_and_periods_that_are_all_low_do_not():
    assert not steady([10, 60], [100, 100])
    assert steady([100, 100], [100, 100])


def test_coverage_is_the_share_above_the_threshold():
    assert coverage(np.array([0.92, 0.93, 0.94, 0.99]), 0.93) == 0.5
    assert coverage(np.array([]), 0.9) == 0.0


def test_figures_at_a_threshold_are_those_of_the_inferences_above_it():
    confidences, correct = np.array([0.6, 0.93, 0.95, 0.96, 0.97]), np.array([False, False, True, False, True])
    found = figures_at(0.93, confidences, correct, 0.9)
    assert (found.threshold, found.coverage, found.risk, found.labels_used) == (0.93, 0.6, pytest.approx(1 / 3), 5)
    assert found.risk_upper_bound == risk_upper_bound(1, 3, 0.9)


@pytest.mark.parametrize(("errors", "n"), [(0, 10), (1, 10), (5, 100), (0, 1000), (30, 1000)])
def test_the_risk_bound_is_clopper_and_pearsons(errors: int, n: int):
    assert bdtr(errors, n, risk_upper_bound(errors, n, 0.95)) == pytest.approx(0.05)


@pytest.mark.parametrize(("correct", "n"), [(0, 10), (1, 10), (182, 200), (10, 10), (9_500, 10_000)])
def test_the_interval_of_an_accuracy_is_clopper_and_pearsons(correct: int, n: int):
    low, high = accuracy_interval(correct, n, 0.9)
    assert bdtr(correct, n, high) == pytest.approx(0.05) if correct < n else high == 1
    assert bdtrc(correct - 1, n, low) == pytest.approx(0.05) if correct else low == 0


@pytest.mark.parametrize("n", [0, 1, 7])
def test_if_every_accepted_answer_is_wrong_the_risk_is_unbounded(n: int):
    assert risk_upper_bound(n, n, 0.95) == 1.0


def test_the_interval_of_an_accuracy_is_at_95_percent_unless_told_otherwise():
    # 9 of 10: Clopper & Pearson's interval as R's binom.test(9, 10) gives it.
    assert accuracy_interval(9, 10) == pytest.approx((0.5549839, 0.9974714), abs=1e-7)


def test_nothing_is_known_of_the_accuracy_on_no_image():
    assert accuracy_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("correct", "n"), [(3, 2), (-1, 2)])
def test_more_right_answers_than_images_are_refused(correct: int, n: int):
    with pytest.raises(ValueError, match="cannot be right"):
        accuracy_interval(correct, n)


def test_without_accepted_inferences_nothing_is_known_of_the_risk():
    figures = figures_at(0.99, np.array([0.6, 0.7]), np.array([True, False]), 0.95)
    assert (figures.coverage, figures.risk, figures.risk_upper_bound) == (0.0, None, 1.0)


def test_the_proposed_threshold_is_the_lowest_whose_risk_bound_holds():
    confidences = np.linspace(0.5, 1, 1000)
    correct = (confidences > 0.8) | (np.arange(1000) % 2 == 0)
    found = propose_threshold(confidences, correct, max_risk=0.05, level=0.95)
    assert found is not None
    assert found.risk_upper_bound <= 0.05
    lower = figures_at(found.threshold - 0.01, confidences, correct, 0.95)
    assert lower.risk_upper_bound > 0.05


@pytest.mark.parametrize("lowest", [0.99, 0.98, 0.61, 0.5])
def test_thresholds_in_steps_of_one_percent_from_99_down_to_50_are_tried(lowest: float):
    """All above is right and all below wrong, as closely as the steps tell."""
    confidences = np.repeat([lowest + 0.005, lowest - 0.005], 500)
    found = propose_threshold(confidences, confidences > lowest, max_risk=0.05, level=0.95)
    assert found is not None
    assert found.threshold == lowest
    everything = propose_threshold(np.full(500, 0.995), np.full(500, True), max_risk=0.05, level=0.95)
    assert everything is not None
    assert everything.threshold == 0.5


def test_a_risk_bound_may_be_just_what_is_promised():
    """With so few labels the promise holds without an error, and not with one."""
    confidences, correct, bound = np.full(59, 0.99), np.full(59, True), risk_upper_bound(0, 59, 0.95)
    found = propose_threshold(confidences, correct, max_risk=bound, level=0.95)
    assert found is not None
    assert (found.threshold, found.risk_upper_bound) == (0.5, bound)
    correct[0] = False
    assert propose_threshold(confidences, correct, max_risk=bound, level=0.95) is None


def test_no_threshold_is_proposed_on_too_few_labels():
    assert propose_threshold(np.array([0.9, 0.95]), np.array([True, True]), max_risk=0.05, level=0.95) is None


def test_the_walk_ends_at_the_first_threshold_that_does_not_hold():
    confidences = np.concatenate([np.full(200, 0.97), np.full(2000, 0.9)])
    correct = np.concatenate([np.arange(200) % 5 != 0, np.full(2000, True)])  # a fifth of the most confident are wrong
    lower = figures_at(0.85, confidences, correct, 0.95)
    assert lower.risk_upper_bound <= 0.05
    assert propose_threshold(confidences, correct, max_risk=0.05, level=0.95) is None


def test_the_promise_is_broken_no_more_often_than_promised():
    """Any threshold accepts a little more errors than may be: whatever is proposed breaks the promise."""
    random, runs, labels = np.random.default_rng(0), 1000, 400
    broken = 0
    for _ in range(runs):
        confidences, correct = random.uniform(0.5, 1, labels), random.random(labels) > 0.101
        broken += propose_threshold(confidences, correct, max_risk=0.1, level=0.9) is not None
    assert broken / runs < 0.1 + 2 * 0.0095
