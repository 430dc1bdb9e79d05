"""The drift watch alarms without drift in 5% of models' lives at most, and soon after a change."""

from dataclasses import replace

import numpy as np
import pytest

from scones_core.domain.martingale import (
    ALARM,
    BAG,
    DriftWatch,
    Watched,
    began,
    begin,
    changes,
    jump,
    observe,
)

K = len(Watched)


def calm(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Observations of one kind, the statistics dependent on each other as those of pictures are."""
    random = np.random.default_rng(seed)
    common = random.normal(size=(*shape, 1))
    values = 0.7 * common + random.normal(size=(*shape, K))
    values[..., 1] = values[..., 1] > 0  # a class
    return values


def lives(streams: int, length: int, *, reference: int = 60, seed: int = 0) -> DriftWatch:
    return observe(begin(calm((streams, reference), seed), seed=seed), calm((streams, length), seed + 1))


def test_without_drift_at_most_five_lives_in_a_hundred_ever_alarm():
    """Looked at after every inference; 2,000 lives, and the standard error of their share is .005."""
    assert lives(2_000, 300).alarm.mean() <= 0.05 + 2 * 0.005


def test_the_bets_are_fair_so_that_evidence_stays_at_one_on_average():
    random = np.random.default_rng(0)
    wealth = np.full((20_000, 3), 1 / 3)
    for _ in range(20):
        wealth = jump(wealth, random.random(20_000))
    evidence = wealth.sum(axis=1)
    assert evidence.mean() == pytest.approx(1, abs=4 * evidence.std() / np.sqrt(20_000))


def test_the_p_values_are_uniform_and_independent_before_and_after_the_bag_is_full():
    watch = observe(begin(calm((1, 1_600))[0]), calm((1, 1_000), 1)[0])
    assert watch.bag.shape[2] == BAG
    from scipy.stats import kstest

    for k in range(K):
        p = watch.p_values[0, k]
        assert kstest(p, "uniform").pvalue > 1e-3
        assert abs(np.corrcoef(p[1:], p[:-1])[0, 1]) < 4 / np.sqrt(len(p))


def test_a_p_value_is_the_rank_among_what_came_before_and_ties_are_broken_at_random():
    reference, highest, middle = np.tile(np.arange(20.0)[:, None], K), [], []
    for seed in range(60):
        watch = observe(begin(reference, seed=seed), np.array([np.full(K, 99.0), np.full(K, 9.5)]))
        first, second = watch.p_values[0, 0]
        highest.append(first)
        middle.append(second)
    assert all(20 / 21 <= p < 1 for p in highest)
    assert max(highest) > 1 - 0.2 / 21
    assert all(10 / 22 <= p < 11 / 22 for p in middle)


def test_evidence_starts_at_one():
    assert begin(calm((3, 50))).wealth.sum(axis=2) == pytest.approx(1)
    assert begin(calm((3, 50))).evidence == pytest.approx(1)


def test_once_full_the_bag_goes_on_changing_at_every_place():
    """5,000 more: a place stays as it was with a probability of .08."""
    before = begin(calm((1, BAG))[0])
    after = observe(before, calm((1, 5_000), 1)[0])
    stayed = (after.bag == before.bag).all(axis=1)[0]
    assert 0.05 < stayed.mean() < 0.12
    assert not stayed[-1]
    assert after.bag.shape == before.bag.shape


def test_an_alarm_needs_the_evidence_of_six_watches_at_one_in_twenty():
    assert ALARM == 120
    watch = begin(calm((1, 60))[0])
    for peak, alarmed in ((119.9, False), (120.0, True)):
        one = DriftWatch(0, 0, watch.bag, watch.wealth, watch.p_values, np.array([[1, 1, peak, 1, 1, 1]]))
        assert bool(one.alarm[0]) is alarmed


def test_an_alarm_stands_although_the_evidence_falls_again():
    darker = calm((1, 30), 2)[0] - 5
    watch = observe(begin(calm((1, 200))[0]), darker)
    assert watch.alarm[0]
    later = observe(watch, calm((1, 3_000), 3)[0])
    assert later.evidence.max() < ALARM
    assert later.alarm[0]


@pytest.mark.parametrize(("statistic", "shift"), [(k, sign) for k in range(K) for sign in (-1.5, 1.5) if k != 1])
def test_a_change_of_one_statistic_is_found_and_named(statistic: int, shift: float):
    after = calm((1, 150), 2)[0]
    after[:, statistic] += shift
    found = changes(observe(begin(calm((1, 200))[0]), after))
    assert found
    assert found[0].statistic is list(Watched)[statistic]
    assert found[0].higher is (shift > 0)


def test_another_class_mix_is_found():
    after = calm((1, 100), 2)[0]
    after[:, 1] = 1
    assert [change.statistic for change in changes(observe(begin(calm((1, 200))[0]), after))] == [Watched.CLASS]


def test_nothing_is_said_to_have_changed_before_an_alarm():
    assert changes(observe(begin(calm((1, 200))[0]), calm((1, 100), 1)[0])) == []


def test_observing_in_portions_with_pauses_is_observing_at_once():
    stream = calm((1, 90), 1)[0]
    at_once, paused = observe(begin(calm((1, 50))[0], seed=3), stream), begin(calm((1, 50))[0], seed=3)
    for start in range(0, 90, 7):
        paused = DriftWatch.from_bytes(observe(paused, stream[start : start + 7]).to_bytes())
    assert paused.count == at_once.count == 90
    for name in ("bag", "wealth", "p_values", "peak"):
        assert np.array_equal(getattr(paused, name), getattr(at_once, name))


def test_observing_nothing_changes_nothing():
    watch = begin(calm((1, 50))[0])
    assert observe(watch, np.empty((0, K))).to_bytes() == watch.to_bytes()


def test_the_state_stays_small_however_long_the_life():
    watch = begin(calm((1, 2_500))[0])
    assert watch.bag.shape[2] == BAG
    watch = observe(watch, calm((1, 1_200), 1)[0])
    assert (watch.bag.shape[2], watch.p_values.shape[2]) == (BAG, 1_000)


def test_equal_values_are_no_evidence():
    """A camera that sends black pictures, as it did when the reference was taken."""
    same = np.zeros((1, 200, K))
    assert not observe(begin(same[0]), np.zeros((2_000, K))).alarm[0]


def test_nineteen_test_images_are_too_few():
    with pytest.raises(ValueError, match="too few"):
        begin(calm((1, 19))[0])
    assert begin(calm((1, 20))[0]).count == 0


def test_all_that_has_evidence_of_twenty_is_told_the_strongest_first():
    watch = observe(begin(calm((1, 200))[0]), calm((1, 10), 1)[0])
    wealth = np.array([[1.0, 5, 3], [3, 5, 1], [1, 1, 1], [5, 1, 3], [1, 1, 1], [1, 1, 1]])
    peak = np.array([[25.0, 130, 19.9, 20, 5, 1]])
    found = changes(replace(watch, wealth=wealth[None], peak=peak))
    assert [(change.statistic, change.higher, change.evidence) for change in found] == [
        (Watched.CLASS, False, 130),
        (Watched.CONFIDENCE, True, 25),
        (Watched.CONTRAST, False, 20),
    ]


@pytest.mark.parametrize("shift", [-1.5, 1.5])
def test_the_interval_holds_when_the_drift_began_in_nine_of_ten_alarms_or_more(shift: float):
    held, widths, runs = 0, [], 100
    for seed in range(runs):
        after = calm((1, 60), seed + 500)[0]
        after[:, 2] += shift
        watch = observe(begin(calm((1, 200), seed)[0], seed=seed), calm((1, 150), seed + 900)[0])
        for row in after:
            watch = observe(watch, row[None])
            if watch.alarm[0]:
                break
        likeliest, first, last = began(watch)
        assert first <= likeliest <= last
        held += first <= 150 <= last
        widths.append(last - first)
    assert held >= 85
    assert np.median(widths) <= 15  # at 99.5%: 20


def test_the_jumper_is_mapies():
    """MAPIE's own online test as the oracle, on the same p-values."""
    testing = pytest.importorskip("mapie.exchangeability_testing", reason="mapie is not installed")
    oracle = testing.OnlineMartingaleTest(task="classification", test_method="jumper_martingale")
    wealth = np.full(3, 1 / 3)
    for p in np.random.default_rng(0).beta(0.7, 1, 300):
        wealth = jump(wealth, np.float64(p))
        assert wealth.sum() == pytest.approx(oracle.update_simple_jumper_martingale(float(p)), rel=1e-12)


def test_the_jumper_agrees_with_the_published_recursion():
    """Two steps by hand, of algorithm 1 of Vovk et al. 2021."""
    wealth = jump(np.full(3, 1 / 3), np.float64(0.1))
    assert wealth.tolist() == pytest.approx([1.4 / 3, 1 / 3, 0.6 / 3])
    wealth = jump(wealth, np.float64(0.9))
    mixed = [0.99 * one + 0.01 / 3 for one in (1.4 / 3, 1 / 3, 0.6 / 3)]
    assert wealth.tolist() == pytest.approx([0.6 * mixed[0], mixed[1], 1.4 * mixed[2]])
