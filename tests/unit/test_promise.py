"""A promise about production is broken no more often than promised, however often it is asked for."""

import numpy as np
import pytest

from scones_core.domain.confidence import propose_threshold
from scones_core.domain.known_answers import KnownAnswers
from scones_core.domain.promise import (
    Labels,
    PlannedAudit,
    cut_for,
    evidence,
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


NOBODY = KnownAnswers.equal(np.empty(0), np.empty(0, dtype=bool))


def plan(confidences: np.ndarray, *, cut: float = 0.9, known: KnownAnswers = NOBODY, **more: object) -> PlannedAudit:
    return PlannedAudit(confidences, cut, 0.05, 0.9, known, **more)  # type: ignore[arg-type]


def drawn_right(count: int, confidence: float = 0.98) -> Labels:
    return Labels.at_random(np.full(count, confidence), np.full(count, False))


def share_of_audits_that_promise(confidences: np.ndarray, labels: int, cut: float = 0.9, runs: int = 400) -> float:
    """Audits of inferences that are right as often as their confidences say, each asked once, at its end."""
    random, above = np.random.default_rng(labels), confidences[confidences > cut]
    probabilities = np.where(confidences > cut, labels / len(above), 0.0)
    start = start_for(confidences, probabilities, max_risk=0.05, level=0.9, cut=cut)
    kept = 0
    for _ in range(runs):
        rows = random.choice(above, labels)
        audit = Labels.at_random(rows, random.random(labels) > rows, cut)
        kept += promise(audit, max_risk=0.05, level=0.9, start=start) is not None
    return kept / runs


@pytest.mark.parametrize(
    "confidences", [np.full(1_000, 0.985), np.linspace(0.5, 0.999, 2_000)], ids=["alike", "spread"]
)
@pytest.mark.parametrize("labels", [70, 110, 180])
def test_the_chance_of_a_promise_is_the_share_of_audits_that_end_with_one(confidences: np.ndarray, labels: int):
    chance = plan(confidences).chance(labels)
    assert chance == pytest.approx(share_of_audits_that_promise(confidences, labels), abs=0.08)


@pytest.mark.parametrize("confidences", [np.full(1_000, 0.98), np.linspace(0.9, 0.999, 2_000)], ids=["alike", "spread"])
def test_as_many_labels_as_planned_end_with_a_promise_in_four_of_five_audits(confidences: np.ndarray):
    planned = plan(confidences).labels()
    assert planned is not None
    assert share_of_audits_that_promise(confidences, planned) >= 0.74
    assert share_of_audits_that_promise(confidences, round(0.8 * planned)) < 0.8


@pytest.mark.parametrize("labels", [20, 100, 150, 400, 3_000])
def test_a_planned_walk_starts_where_that_of_the_audit_will(labels: int):
    confidences = np.linspace(0.5, 0.999, 2_000)
    probabilities = np.where(confidences > 0.8, labels / (confidences > 0.8).sum(), 0.0)
    start = start_for(confidences, probabilities, max_risk=0.05, level=0.9, cut=0.8)
    assert plan(confidences, cut=0.8).start_of(labels) == start


def test_labels_that_are_there_already_are_not_asked_for_again():
    confidences = np.full(1_000, 0.98)
    every, more = (plan(confidences, start=0.95, given=drawn_right(given)).labels() for given in (0, 30))
    assert every is not None
    assert more is not None
    assert 0 < more < every
    below = plan(confidences, start=0.95, given=drawn_right(30, confidence=0.94))
    assert below.labels() == every  # says nothing of what is accepted at the start of the walk
    assert plan(confidences, start=0.95, given=drawn_right(300)).labels() == 0


def test_a_plan_without_errors_is_the_number_of_labels_that_are_enough_without_any():
    needed = labels_until(np.full(500, False), np.ones(500), max_risk=0.05, level=0.9)
    assert plan(np.ones(100)).labels() == needed
    assert plan(np.ones(100), start=0.95, given=drawn_right(20)).labels() == pytest.approx(needed - 20, abs=1)


def test_a_level_near_one_has_a_plan_too():
    needed = labels_until(np.full(5_000, False), np.ones(5_000), max_risk=0.05, level=1 - 1e-12)
    assert PlannedAudit(np.ones(100), 0.9, 0.05, 1 - 1e-12, NOBODY).labels() == needed


def test_known_answers_outweigh_the_confidences():
    """The confidences expect 2 of 100 errors: too many for few labels. A thousand answers show none, or four of 100."""
    confidences, random = np.full(1_000, 0.98), np.random.default_rng(0)
    surer = KnownAnswers.equal(np.full(1_000, 0.98), np.full(1_000, True))
    worse = KnownAnswers.equal(np.full(1_000, 0.98), random.random(1_000) >= 0.04)
    fewer, as_told, more = (plan(confidences, known=known).labels() for known in (surer, NOBODY, worse))
    assert fewer is not None
    assert as_told is not None
    assert fewer < as_told / 2
    assert more is None or more > 2 * as_told
    twice = KnownAnswers(worse.confidences[:500], worse.right[:500], np.full(500, 2.0))
    every_one_twice = KnownAnswers.equal(np.full(1_000, 0.98), np.tile(worse.right[:500] == 1, 2))
    assert plan(confidences, known=twice).chance(300) == pytest.approx(
        plan(confidences, known=every_one_twice).chance(300)
    )
    elsewhere = KnownAnswers.equal(np.full(1_000, 0.6), np.full(1_000, False))
    assert plan(confidences, known=elsewhere).labels() == as_told


@pytest.mark.parametrize("given", [0, 30])
def test_a_plan_counts_what_each_number_of_errors_needs(given: int):
    """Against the evidence itself, label by label."""
    most = 260
    found = fewest_labels(drawn_right(given), most, np.arange(6), 0.05, np.log(10))
    for errors in range(6):
        counts = range(errors, most + 1)
        enough = [
            count
            for count in counts
            if evidence(np.arange(given + count) >= given + count - errors, np.ones(given + count), 0.05) >= np.log(10)
        ]
        assert found[errors] == (enough[0] if enough else most + 1)


def test_an_inference_at_a_threshold_is_not_above_it():
    """Walk and cut accept what exceeds the threshold, as the workflow does."""
    at = np.concatenate([np.full(1_000, 0.95), np.full(10, 0.99)])
    assert start_for(at, np.full(1_010, 0.5), max_risk=0.05, level=0.9) == 0.94
    assert cut_for(np.repeat([0.9, 1.0], 500), 0.1) == 0.5
    assert cut_for(np.repeat([0.9, 0.99], [500, 5]), 0.1) == 0.9


def test_a_promise_that_the_model_cannot_keep_has_no_number_of_labels():
    assert plan(np.full(100, 0.9), cut=0.5).labels() is None
    assert plan(np.full(100, 0.9), cut=0.95).labels() is None
    assert plan(np.full(100, 0.999), cut=0.98, start=0.95).labels() is None  # the walk starts where nothing is drawn


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
