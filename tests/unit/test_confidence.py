import numpy as np
import pytest

from scones_core.domain.confidence import (
    coverage,
    figures_at,
    histogram,
    is_low,
    propose_threshold,
    risk_upper_bound,
)


def test_an_inference_at_the_threshold_is_low_confidence():
    assert is_low(0.93, 0.93)
    assert not is_low(0.930001, 0.93)


def test_every_confidence_falls_into_one_bin_of_the_histogram():
    bins = histogram(np.array([0.5, 0.51, 0.999, 1.0]))
    assert sum(row["inferences"] for row in bins) == 4
    assert bins[-1]["inferences"] == 2


def test_coverage_of_nothing_is_zero():
    assert coverage(np.array([]), 0.9) == 0.0


@pytest.mark.parametrize(("errors", "n"), [(0, 10), (1, 10), (5, 100), (0, 1000), (30, 1000)])
def test_the_risk_bound_is_clopper_and_pearsons(errors: int, n: int):
    from scipy.stats import beta

    assert risk_upper_bound(errors, n, 0.95) == pytest.approx(beta.ppf(0.95, errors + 1, n - errors), abs=1e-9)


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


def test_no_threshold_is_proposed_on_too_few_labels():
    assert propose_threshold(np.array([0.9, 0.95]), np.array([True, True]), max_risk=0.05, level=0.95) is None
