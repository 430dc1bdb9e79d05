"""The effect of another threshold on the traffic, and the cheapest threshold."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scones_core.domain.cells import bin_of
from scones_core.domain.confidence import accuracy_interval
from scones_core.domain.drift import SimulatedDrift
from scones_core.domain.inference_filter import InferenceFilter
from scones_core.domain.what_if import WeightedLabels, cheapest, seconds_per_decision, what_if
from scones_core.errors import BadInput, NotFound
from scones_core.services import App, audit_draws, capture, classification, drift_standing, monitoring, review
from scones_core.services import what_if as service
from tests.unit.test_drift_watch import send

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at_or_below(confidences: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.bincount(bin_of(confidences), minlength=1000))])


def test_the_figures_at_a_threshold_are_those_of_traffic_and_labels():
    traffic = np.array([0.5, 0.93, 0.931, 0.99, 0.6])
    labelled, correct = np.array([0.6, 0.93, 0.95, 0.96]), np.array([False, True, False, True])
    found = what_if(0.93, at_or_below(traffic), WeightedLabels.alike(labelled, correct))
    assert (found.threshold, found.accepted, found.low) == (0.93, 2, 3)
    assert (found.labels, found.error_rate, found.errors) == (2, 0.5, 1.0)
    low, high = accuracy_interval(1, 2)
    assert (found.error_low, found.error_high) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize("labels", [None, WeightedLabels.alike(np.array([0.9]), np.array([True]))])
def test_without_labels_above_a_threshold_the_traffic_is_counted_and_nothing_is_said_of_errors(
    labels: WeightedLabels | None,
):
    found = what_if(0.98, at_or_below(np.array([0.5, 0.98, 0.99, 1.0, 1.0])), labels)
    assert (found.threshold, found.accepted, found.low, found.labels) == (0.98, 3, 2, 0)
    assert (found.error_rate, found.errors, found.error_low, found.error_high) == (None, None, 0.0, 1.0)


@given(st.integers(0, 20), st.integers(1, 5))
def test_breaks_are_no_part_of_the_seconds_per_decision(seconds: int, breaks: int):
    times = [NOON + timedelta(hours=part, seconds=seconds * i) for part in range(breaks) for i in range(7)]
    assert seconds_per_decision([("ann", time) for time in times]) == seconds
    alone = [NOON + timedelta(days=1, hours=i) for i in range(60)]
    assert seconds_per_decision([("ann", time) for time in times + alone]) == seconds
    assert seconds_per_decision([(f"r{i}", time) for i, time in enumerate(times)]) is None


def test_a_pause_of_two_minutes_is_no_break_and_five_pauses_are_enough():
    times = [NOON + timedelta(seconds=120 * i) for i in range(6)]
    assert seconds_per_decision([("ann", time) for time in times]) == 120
    assert seconds_per_decision([("ann", time) for time in times[:5]]) is None
    assert seconds_per_decision([("ann", NOON + timedelta(seconds=121 * i)) for i in range(6)]) is None


def labels(n: int, seed: int = 0) -> WeightedLabels:
    """Images whose confidence is the probability of being right."""
    rng = np.random.default_rng(seed)
    confidences = rng.uniform(0.5, 1, n)
    return WeightedLabels.alike(confidences, rng.random(n) < confidences)


def test_the_cheapest_threshold_is_where_an_expected_error_costs_a_review():
    """At a confidence c, accepting costs error × (1 − c): cheapest is to accept above 1 − review / error."""
    known = labels(50_000)
    found = cheapest(at_or_below(known.confidences), known, error=10, review=2)
    assert found is not None
    assert found.same_from <= 0.8 <= found.same_to
    assert found.threshold == pytest.approx(0.8, abs=0.03)
    # Per inference: 0.6 are reviewed at 2, and 0.4 accepted, of which 0.1 are wrong at 10.
    assert found.cost == pytest.approx(1_000 * (0.6 * 2 + 0.4 * 0.1 * 10), rel=0.02)
    assert found.cost_low < found.cost < found.cost_high


def test_no_threshold_beside_the_cheapest_costs_less():
    known = labels(500)
    counts = at_or_below(known.confidences)
    found = cheapest(counts, known, error=7, review=1)
    assert found is not None

    def cost(threshold: float) -> float:
        there = what_if(threshold, counts, known)
        return (7 * (there.errors or 0.0) + there.low) * 1_000 / 500

    assert found.cost == pytest.approx(cost(found.threshold))
    at, accepted = what_if(found.threshold, counts, known), 7 * (1 - counts[round(found.threshold * 1000)] / 500)
    assert found.cost_low == pytest.approx(found.cost + 1_000 * accepted * (at.error_low - (at.error_rate or 0.0)))
    assert found.cost_high == pytest.approx(found.cost + 1_000 * accepted * (at.error_high - (at.error_rate or 0.0)))
    for threshold in np.arange(500, 980, 7) / 1000:
        assert cost(threshold) >= found.cost - 1e-9
        if found.same_from <= threshold <= found.same_to:
            assert cost(threshold) <= 1.02 * found.cost + 1e-9
    assert cost(round(found.same_from - 0.001, 3)) > 1.02 * found.cost
    assert cost(round(found.same_to + 0.001, 3)) > 1.02 * found.cost


def alike(*parts: tuple[float, int, int]) -> WeightedLabels:
    """parts : a confidence, how many images have it, and how many of these are wrong."""
    confidences = np.repeat([part[0] for part in parts], [part[1] for part in parts])
    return WeightedLabels.alike(confidences, np.concatenate([np.arange(n) >= wrong for _, n, wrong in parts]))


def ends(labels: WeightedLabels, traffic: list[float], *, error: float, review: float) -> tuple[float, float, float]:
    """The cheapest threshold, and those around it whose cost is the same."""
    found = cheapest(at_or_below(np.array(traffic)), labels, error=error, review=review)
    assert found is not None
    return found.threshold, found.same_from, found.same_to


def test_a_threshold_with_fewer_than_ten_labels_above_it_is_never_the_cheapest():
    known = alike((0.6, 20, 10), (0.8, 5, 1), (0.95, 5, 0))  # above 0.8 none is wrong, and only five are known
    assert ends(known, list(known.confidences), error=100, review=1) == (0.6, 0.6, 0.799)


def test_ten_labels_of_the_highest_confidence_are_enough_for_every_threshold():
    assert ends(alike((1.0, 10, 1)), [1.0], error=1, review=10) == (0.0, 0.0, 0.999)


def test_a_threshold_that_costs_nothing_costs_the_same_as_others_that_cost_nothing():
    assert ends(alike((0.3, 1, 1), (0.9, 60, 0)), [0.5, 0.9], error=0.01, review=0.01) == (0.3, 0.3, 0.499)


def test_thresholds_that_cost_the_same_reach_down_to_zero_and_up_to_a_dear_one():
    assert ends(alike((0.3, 1, 1), (0.9, 160, 60)), [0.301] + [0.9] * 9, error=1, review=10) == (0.3, 0.0, 0.3)


def test_thresholds_beyond_a_dearer_one_are_not_among_those_around_the_cheapest():
    known = alike((0.301, 4, 4), (0.9, 160, 60))  # at 0.3 one more is reviewed, and at 0.301 four errors less are made
    assert ends(known, [0.3] + [0.9] * 99, error=1, review=1.5) == (0.301, 0.301, 0.899)


def test_an_error_that_other_labels_may_lack_widens_the_interval_of_the_cheapest_threshold():
    found = cheapest(at_or_below(np.array([0.9])), alike((0.6, 1, 1), (0.9, 30, 0)), error=1, review=1)
    assert found is not None
    assert (found.best_from, found.threshold, found.best_to) == (0.0, 0.6, 0.6)


@pytest.mark.parametrize("seed", range(3))
def test_the_cheapest_threshold_is_the_same_each_time_and_whatever_weights_are_multiplied_by(seed: int):
    known = labels(400, seed)
    lighter = WeightedLabels(known.confidences, known.wrong, known.weights / 1024)
    found, again = (cheapest(at_or_below(known.confidences), each, error=5, review=1) for each in (known, lighter))
    assert found is not None
    assert found == again
    for threshold in (found.threshold, found.same_from, found.same_to, found.best_from, found.best_to):
        assert threshold == round(threshold, 3)


def test_the_interval_of_the_cheapest_threshold_holds_the_true_one_in_most_cases():
    """The true optimum is 0.8; a 95% interval of 40 samples misses it in few."""
    missed = 0
    for seed in range(40):
        known = labels(400, seed)
        found = cheapest(at_or_below(known.confidences), known, error=10, review=2)
        assert found is not None
        missed += not found.best_from <= 0.8 <= found.best_to
    assert missed <= 6


def test_without_traffic_or_labels_there_is_no_cheapest_threshold():
    known = labels(9)
    assert cheapest(at_or_below(known.confidences), known, error=1, review=1) is None
    assert cheapest(at_or_below(np.array([])), labels(50), error=1, review=1) is None


def test_labels_drawn_more_often_count_for_less():
    """Unsure images are drawn ten times as often; weighed back, the error rate is that of all."""
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0.5, 1, 40_000)
    wrong = (rng.random(40_000) > confidences).astype(float)
    probability = np.where(confidences < 0.7, 0.5, 0.05)
    drawn = rng.random(40_000) < probability
    found = WeightedLabels(confidences[drawn], wrong[drawn], 1 / probability[drawn]).error_rate(0.6)
    assert found is not None
    rate, low, high, count = found
    assert low < wrong[confidences > 0.6].mean() < high
    assert rate == pytest.approx(wrong[confidences > 0.6].mean(), abs=0.02)
    assert high - low > 2 * 1.96 * np.sqrt(rate * (1 - rate) / count)  # fewer are worth less than as many alike


def test_images_that_nobody_could_label_may_be_right_or_wrong():
    found = WeightedLabels(np.full(4, 0.9), np.array([0, 0, 1, np.nan]), np.ones(4)).error_rate(0.5)
    assert found is not None
    assert found[0] == pytest.approx(1 / 3)
    assert found[1:3] == pytest.approx((1 - accuracy_interval(3, 4)[1], 1 - accuracy_interval(2, 4)[0]))


def test_expected_errors_are_withdrawn_in_drift_and_return_with_an_audit(serving: App):
    send(serving, 40)
    before = service.traffic(serving, InferenceFilter())
    assert before.evidence is not None
    assert (before.evidence.audit, before.evidence.images) == (None, 24)
    of_class = service.traffic(serving, InferenceFilter(prediction="bicycle")).evidence
    assert of_class is not None
    assert 0 < of_class.images < 24
    send(serving, 60, SimulatedDrift.DARK)
    assert drift_standing.standing(serving).alarm is not None
    drifted = service.traffic(serving, InferenceFilter())
    assert service.at(drifted, 0.9).errors is None
    assert service.cheapest(drifted, error=10, review=1) is None
    assert "audit about 100" in drifted.unknown
    audit = audit_draws.start(serving, 20, by="ann", seed=1)
    for _ in range(20):
        [item] = review.next_items(serving, "ann", queue=audit.queue)
        review.decide(serving, item.id, item.prediction, "ann", queue=audit.queue)
    after = service.traffic(serving, InferenceFilter()).evidence
    assert after is not None
    assert (after.audit, after.images) == (audit.id, 20)
    assert service.traffic(serving, InferenceFilter(reviewed=True)).evidence is None


def test_without_an_error_among_the_labels_no_threshold_is_the_cheapest():
    known = WeightedLabels.alike(np.linspace(0.6, 0.99, 24), np.ones(24, bool))
    assert cheapest(at_or_below(known.confidences), known, error=10, review=1) is None


def test_the_traffic_is_that_of_the_model_in_service_and_its_decisions_are_timed(serving: App):
    with pytest.raises(BadInput, match="above 0"):
        service.cheapest(service.traffic(serving, InferenceFilter()), error=0, review=1)
    assert service.traffic(serving, InferenceFilter()).inferences == 0
    classification.classify(serving, classification.sample_keys(serving, 8, seed=0))
    capture.ingest(serving)
    for item in review.next_items(serving, "ann", count=7):
        review.decide(serving, item.id, None, "ann")
    found = service.traffic(serving, InferenceFilter(accepted=False))
    assert (found.model, found.inferences) == ("v1", 8)
    assert found.per_decision is not None
    at = service.at(found, 0.97)
    assert at.low == monitoring.figures(serving, at=0.97).low_confidence
    assert at.accepted + at.low == 8
    with pytest.raises(NotFound):
        service.traffic(serving, InferenceFilter(model="v9"))
