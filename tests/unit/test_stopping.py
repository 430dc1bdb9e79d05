"""The stopping hint: what the last labels changed."""

import itertools

import numpy as np
import pytest

from scones_core.services import App, capture, classification, deployment, retraining, review, stopping, training
from scones_core.services.stopping import LabelStep


def test_before_a_retraining_there_is_no_hint(challenged: App):
    assert stopping.hint(challenged) is None


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


@pytest.mark.parametrize(
    ("kappas", "stop"), [((1.0, 0.995, 0.98), True), ((1.0, 1.0, 0.9), False), ((1.0, 1.0), False)]
)
def test_predictions_are_stable_at_a_mean_kappa_over_three_retrainings(kappas: tuple[float, ...], stop: bool):
    steps = [LabelStep("v1", "v2", 50, 0, 100, kappa) for kappa in kappas]
    assert stopping.is_stable(steps) is stop
