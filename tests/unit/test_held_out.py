"""What cross-validation said of training images, as evidence beside the sealed test images."""

import itertools

import numpy as np

from scones_core import evidence_output
from scones_core.services import App, capture, classification, etl, retraining, review, training


def retrained(app: App) -> retraining.Retrained:
    """With four reviewed labels."""
    classification.classify(app, classification.sample_keys(app, 8))
    capture.ingest(app)
    for item, label in zip(review.next_items(app, "ann", count=4), itertools.cycle(["bicycle", "motorcycle"])):
        review.decide(app, item.id, label, "ann")
    return retraining.retrain(app)


def test_trainings_are_compared_on_the_images_that_both_share_and_nobody_chose(serving: App):
    found = retrained(serving)
    [challenger, champion] = training.models(serving)
    base = {image.sha256 for image in etl.images(serving, champion.dataset, "train")}
    assert len(etl.images(serving, challenger.dataset, "train")) == len(base) + 4
    assert found.held_out is not None
    assert found.held_out.images == len(base)
    for model, accuracy in (
        (champion, found.held_out.champion_accuracy),
        (challenger, found.held_out.challenger_accuracy),
    ):
        rows = [(image.class_index, p) for image, p in training.held_out(serving, model) if image.sha256 in base]
        assert accuracy == np.mean([label == int(np.argmax(p)) for label, p in rows])


def test_calibration_is_also_measured_on_held_out_training_images_that_nobody_chose(serving: App):
    challenger = retrained(serving).challenger
    told = evidence_output.model(serving, challenger)["held_out"]
    images = etl.images(serving, challenger.dataset, "train")
    assert told["images"] == len([image for image in images if not image.key.startswith(capture.REVIEWED)])
    assert told["images"] == len(images) - 4
    low, high = told["ece_interval"]
    assert 0 <= low <= told["ece"] <= high <= 1
