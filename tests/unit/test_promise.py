"""A promise about production is broken no more often than promised, however often it is asked for."""

import numpy as np
import pytest

from scones_core.domain.confidence import propose_threshold
from scones_core.domain.promise import (
    Labels,
    cut_for,
    evidence,
    labels_for_promise,
    labels_until,
    promise,
    risk_bound,
    start_for,
)
from scones_core.domain.promise import _fewest as fewest_labels

LOOKS = range(20, 401, 20)


def drawn(random: np.random.Generator, count: int, risk: float) -> Labels:
    """Labels whose risk is the same at every threshold."""
    return Labels.at_random(random.uniform(0.5, 1, count), random.random(count) < risk)


def first(labels: Labels, count: int) -> Labels:
    return Labels.at_random(labels.confidences[:count], labels.wrong[:count])


def test_asking_again_and_again_does_not_spend_the_guarantee():
    """Any threshold accepts just more errors than may be: whatever is promised is broken. Twenty looks a run."""
    random, runs, broken, alone = np.random.default_rng(0), 1_000, 0, 0
    for number in range(runs):
        labels = drawn(random, 400, 0.1001)
        looks = [first(labels, count) for count in LOOKS]
        broken += any(promise(look, max_risk=0.1, level=0.9, start=0.9) is not None for look in looks)
        if number < 50:
            alone += any(
                propose_threshold(look.confidences, ~look.wrong, max_risk=0.1, level=0.9) is not None for look in looks
            )
    assert broken / runs <= 0.1 + 2 * 0.0095
    assert alone / 50 > 0.25  # the bound for one look does spend it


def test_the_bound_holds_over_all_looks_at_the_level_it_states():
    random, runs, missed = np.random.default_rng(1), 300, 0
    for _ in range(runs):
        wrong = random.random(300) < 0.2
        missed += any(risk_bound(wrong[:count], np.ones(count), 0.8) < 0.2 for count in range(30, 301, 30))
    assert missed / runs <= 0.2 + 2 * 0.023


def test_labels_that_were_drawn_unevenly_count_as_they_were_drawn():
    """Errors are drawn three times as often as they occur: weighted, the promise holds; unweighted, it does not.

    And the other way round, errors drawn less often than they occur do not make a promise.
    """
    random, runs = np.random.default_rng(2), 200
    kept, plain, broken = 0, 0, 0
    for _ in range(runs):
        wrong = random.random(400) < 3 * 0.03 / (3 * 0.03 + 0.97)
        weights = np.where(wrong, 1 / 3, 1.0)
        kept += evidence(wrong, weights, 0.08) >= np.log(10)
        plain += evidence(wrong, np.ones(400), 0.08) >= np.log(10)
        rare = random.random(400) < (0.1 / 3) / (0.1 / 3 + 0.9)
        broken += evidence(rare, np.where(rare, 1.0, 1 / 3), 0.1) >= np.log(10)
    assert kept / runs > 0.9
    assert plain / runs < 0.2
    assert broken / runs <= 0.1 + 2 * 0.022


def test_the_walk_ends_at_the_first_threshold_that_does_not_hold():
    confidences = np.concatenate([np.full(200, 0.97), np.full(2_000, 0.9)])
    wrong = np.concatenate([np.arange(200) % 5 == 0, np.full(2_000, False)])  # a fifth of the most confident
    labels = Labels.at_random(confidences, wrong)
    assert evidence(labels.above(0.85).wrong, labels.above(0.85).weights, 0.05) > np.log(20)
    assert promise(labels, max_risk=0.05, level=0.95, start=0.96) is None


def test_nothing_is_promised_below_the_cut_of_the_draw():
    drawn = (Labels.at_random(np.full(300, 0.95), np.full(300, False), cut) for cut in (0.8, 0.0))
    found, free = (promise(labels, max_risk=0.05, level=0.9, start=0.94) for labels in drawn)
    assert found is not None
    assert free is not None
    assert (found.threshold, free.threshold) == (0.8, 0.5)


def test_without_an_error_a_promise_of_five_percent_at_ninety_needs_this_many_labels():
    """The mixture of bets by hand: after n right answers the wealth is the mean of (1 + s r / (1 - r)) ** n."""
    stakes = np.array([0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0])
    needed = next(n for n in range(1, 200) if np.mean((1 + stakes * 0.05 / 0.95) ** n) >= 10)
    assert labels_until(np.full(200, False), np.ones(200), max_risk=0.05, level=0.9) == needed
    labels = Labels.at_random(np.full(needed, 0.97), np.full(needed, False))
    found = promise(labels, max_risk=0.05, level=0.9, start=0.9)
    assert found is not None
    assert found.risk_upper_bound <= 0.05
    assert promise(first(labels, needed - 1), max_risk=0.05, level=0.9, start=0.9) is None


@pytest.mark.parametrize(("errors", "n"), [(0, 50), (1, 60), (4, 200), (30, 400)])
def test_the_bound_is_where_the_evidence_is_just_enough(errors: int, n: int):
    wrong = np.arange(n) < errors
    bound = risk_bound(wrong, np.ones(n), 0.9)
    assert evidence(wrong, np.ones(n), bound) == pytest.approx(np.log(10), abs=1e-4)
    assert errors / n < bound < 1


def test_without_labels_nothing_is_known():
    none = np.array([], dtype=bool)
    assert risk_bound(none, np.array([]), 0.9) == 1
    assert labels_until(none, np.array([]), max_risk=0.1, level=0.9) == float("inf")


def test_the_cut_is_where_half_of_the_risk_is_expected():
    confidences = np.linspace(0.5, 0.999, 5_000)
    cut = cut_for(confidences, 0.04)
    assert (1 - confidences[confidences > cut]).mean() <= 0.02 < (1 - confidences[confidences > cut - 0.01]).mean()
    assert cut_for(np.full(100, 0.6), 0.04) == 0.99


def test_as_many_labels_as_planned_are_enough_in_four_of_five_audits():
    confidences = np.full(1_000, 0.98)
    planned = labels_for_promise(confidences, max_risk=0.05, level=0.9)
    assert planned is not None
    random = np.random.default_rng(3)
    until = [
        labels_until(random.random(planned) < 0.02, np.ones(planned), max_risk=0.05, level=0.9) for _ in range(500)
    ]
    assert 0.74 <= np.mean(np.isfinite(until)) <= 0.86


def test_labels_that_are_there_already_are_not_asked_for_again():
    confidences, given = np.full(1_000, 0.98), Labels.at_random(np.full(30, 0.98), np.full(30, False))
    more = labels_for_promise(confidences, max_risk=0.05, level=0.9, given=given)
    every = labels_for_promise(confidences, max_risk=0.05, level=0.9)
    assert more is not None
    assert every is not None
    assert more < every
    enough = Labels.at_random(np.full(300, 0.98), np.full(300, False))
    assert labels_for_promise(confidences, max_risk=0.05, level=0.9, given=enough) == 0


def test_a_plan_without_errors_is_the_number_of_labels_that_are_enough_without_any():
    needed = labels_until(np.full(500, False), np.ones(500), max_risk=0.05, level=0.9)
    assert labels_for_promise(np.ones(100), max_risk=0.05, level=0.9) == needed
    assert labels_for_promise(np.ones(100), max_risk=0.05, level=0.9, given=drawn_right(20)) == needed - 20


def drawn_right(count: int) -> Labels:
    return Labels.at_random(np.full(count, 0.98), np.full(count, False))


@pytest.mark.parametrize("given", [0, 30])
def test_a_plan_counts_what_each_number_of_errors_needs(given: int):
    """Against the evidence itself, label by label."""
    before, most = drawn_right(given), 260
    found = fewest_labels(before, most, 0.05, np.log(10))
    for errors in range(6):
        counts = range(errors, most + 1)
        enough = [
            count
            for count in counts
            if evidence(np.arange(given + count) >= given + count - errors, np.ones(given + count), 0.05) >= np.log(10)
        ]
        assert found[errors] == (enough[0] if enough else most + 1)


def test_a_plan_of_unlike_confidences_is_that_of_their_mean_error():
    half = np.repeat([0.96, 1.0], 500)
    alike = labels_for_promise(np.full(1_000, 0.98), max_risk=0.05, level=0.9)
    unlike = labels_for_promise(half, max_risk=0.05, level=0.9)
    assert alike is not None
    assert unlike == pytest.approx(alike, rel=0.12)


def test_an_inference_at_a_threshold_is_not_above_it():
    """Walk and cut accept what exceeds the threshold, as the workflow does."""
    at = np.concatenate([np.full(1_000, 0.95), np.full(10, 0.99)])
    assert start_for(at, np.full(1_010, 0.5), max_risk=0.05, level=0.9) == 0.94
    assert cut_for(np.repeat([0.9, 1.0], 500), 0.1) == 0.5
    assert cut_for(np.repeat([0.9, 0.99], [500, 5]), 0.1) == 0.9


def test_a_promise_that_the_model_cannot_keep_has_no_number_of_labels():
    assert labels_for_promise(np.full(100, 0.9), max_risk=0.05, level=0.9) is None


def test_a_walk_starts_where_the_draw_gives_labels_enough_whatever_their_answers():
    confidences = np.linspace(0.5, 1, 10_001)
    needed = labels_until(np.full(500, False), np.ones(500), max_risk=0.05, level=0.9)
    for labels in (200, 400, 2_000):
        start = start_for(confidences, np.full(10_001, labels / 10_001), max_risk=0.05, level=0.9)
        assert labels * 2 * (1 - start) >= 1.5 * needed
        assert labels * 2 * (1 - start - 0.01) < 1.5 * needed or start == 0.99
    assert start_for(confidences, np.full(10_001, 1e-4), max_risk=0.05, level=0.9, cut=0.8) == 0.8
    uneven = np.where(confidences > 0.9, 0.03, 0.09)
    even = np.full(10_001, 0.03)
    assert start_for(confidences, uneven, max_risk=0.05, level=0.9) <= start_for(
        confidences, even, max_risk=0.05, level=0.9
    )
