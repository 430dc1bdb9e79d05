"""The stopping hint: what the last labels changed."""

import itertools

import numpy as np
import pytest

from scones_core.domain.review import OTHER, Strategy
from scones_core.services import App, capture, classification, deployment, retraining, review, stopping, training
from scones_core.services.stopping import LabelStep, StoppingHint


def test_without_a_model_in_service_there_is_no_hint(app: App):
    assert stopping.hint(app) is None


def test_before_a_retraining_no_predictions_are_compared(serving: App):
    found = stopping.hint(serving)
    assert found == StoppingHint("v1", confirmed=0, judged=0, steps=())
    assert not found.stop


def test_after_a_retraining_the_hint_counts_labels_and_changed_predictions(serving: App):
    classification.classify(serving, classification.sample_keys(serving, 8))
    capture.ingest(serving)
    for item, label in zip(review.next_items(serving, "ann", count=4), itertools.cycle(["bicycle", "motorcycle"])):
        review.decide(serving, item.id, label, "ann")
    challenger = retraining.retrain(serving).challenger
    champion = deployment.champion(serving)
    assert champion is not None
    old, new = (
        np.argmax(training.evaluation(serving, model, challenger.dataset).probabilities, axis=1)
        for model in (champion, challenger)
    )
    found = stopping.hint(serving)
    assert found is not None
    [step] = found.steps
    assert (step.before, step.after, step.labels, step.images) == ("v1", "v2", 4, 24)
    assert step.changed == int(np.sum(old != new))
    assert not found.stop


def test_only_labels_of_what_the_model_was_least_sure_of_are_judged(serving: App):
    classification.classify(serving, classification.sample_keys(serving, 10))
    capture.ingest(serving)

    def judged() -> tuple[int, int]:
        found = stopping.hint(serving)
        assert found is not None
        return found.confirmed, found.judged

    def answer(label: str, strategy: Strategy) -> None:
        [item] = review.next_items(serving, "ann", strategy=strategy, count=1)
        other = next(name for name in item.classes if name != item.prediction)
        review.decide(serving, item.id, {"right": item.prediction, "wrong": other}.get(label, label), "ann")

    answer("right", Strategy.LEAST_CONFIDENCE)
    answer("wrong", Strategy.MARGIN)
    assert judged() == (1, 2)
    answer("right", Strategy.RANDOM)
    answer(OTHER, Strategy.LEAST_CONFIDENCE)
    assert judged() == (1, 2)
    answer("right", Strategy.ENTROPY)
    assert judged() == (2, 3)
    review.undo(serving, "ann")
    assert judged() == (1, 2)


@pytest.mark.parametrize(("confirmed", "judged", "stop"), [(45, 50, True), (44, 50, False), (40, 40, False)])
def test_a_model_that_is_right_on_what_it_was_least_sure_of_needs_no_more_labels(
    confirmed: int, judged: int, stop: bool
):
    assert StoppingHint("v1", confirmed, judged, steps=()).stop is stop


@pytest.mark.parametrize(
    ("kappas", "stop"), [((1.0, 0.995, 0.98), True), ((1.0, 1.0, 0.9), False), ((1.0, 1.0), False)]
)
def test_predictions_are_stable_at_a_mean_kappa_over_three_retrainings(kappas: tuple[float, ...], stop: bool):
    steps = [LabelStep("v1", "v2", 50, 0, 100, kappa) for kappa in kappas]
    assert StoppingHint("v1", confirmed=0, judged=0, steps=tuple(steps)).stop is stop
