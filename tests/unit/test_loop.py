"""The loop behind the pages: classify, capture, correct, retrain, promote, roll back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scones_core.domain.models import Approval
from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.services import (
    App,
    capture,
    classification,
    deployment,
    etl,
    monitoring,
    overview,
    registration,
    retraining,
    review,
    training,
)


def labels_of(app: App, count: int, label: str = "bicycle") -> None:
    for item in review.next_items(app, "ann", count=count):
        review.decide(app, item.id, label, "ann")


def test_an_image_at_or_below_the_threshold_fails_loudly_and_is_captured_all_the_same(serving: App):
    monitoring.set_threshold(serving, 0.999999)
    [found] = classification.classify(serving, classification.sample_keys(serving, 1))
    assert (found.status, found.error) == ("FAILED", "THRESHOLD_CONFIDENCE_NOT_MET")
    assert found.confidence == max(found.probabilities)
    assert capture.ingest(serving).new == 1


def test_an_image_above_the_threshold_succeeds(serving: App):
    monitoring.set_threshold(serving, 0.0)
    found = classification.classify(serving, classification.sample_keys(serving, 5))
    assert {item.status for item in found} == {"SUCCEEDED"}
    assert all(item.prediction in ("bicycle", "motorcycle") for item in found)


def test_the_history_of_an_execution_shows_its_three_states(serving: App):
    monitoring.set_threshold(serving, 0.0)
    [found] = classification.classify(serving, classification.sample_keys(serving, 1))
    events = classification.history(serving, found.name)
    entered = [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e]
    assert entered == ["Serialize Image Data", "Image Classification", "Inference Confidence Filtering"]
    assert events[-1]["type"] == "ExecutionSucceeded"


def test_what_is_not_an_image_fails_its_execution_and_leaves_no_capture(serving: App):
    with pytest.raises(BadInput, match="“notes.png”: The file is not a readable PNG"):
        classification.upload(serving, "notes.png", b"this is text")
    key = "uploads/notes.png"
    serving.backend.objects.put(key, b"this is text")
    [found] = classification.classify(serving, [key])
    assert found.status == "FAILED"
    assert found.error != classification.LOW_CONFIDENCE
    assert capture.ingest(serving).new == 0


def test_a_captured_inference_leads_back_to_its_image(serving: App):
    [key] = classification.sample_keys(serving, 1)
    classification.classify(serving, [key])
    capture.ingest(serving)
    [event_id] = monitoring.figures(serving).points["event_id"]
    assert capture.image(serving, event_id) == serving.backend.objects.get(key)
    assert capture.inference(serving, event_id)["image_key"] == key


def test_capture_can_be_switched_off(serving: App):
    deployment.set_capture(serving, 0)
    classification.classify(serving, classification.sample_keys(serving, 5))
    assert capture.ingest(serving).new == 0


def test_retraining_promotion_and_rollback(serving: App):
    classification.classify(serving, classification.sample_keys(serving, 12, seed=1))
    capture.ingest(serving)
    labels_of(serving, 3)
    before = etl.get(serving)
    found = retraining.retrain(serving)
    assert (found.new_labels, found.champion.id, found.challenger.id) == (3, "v1", "v2")
    assert found.dataset.parent == before.id
    assert found.dataset.train == before.train + 3
    assert found.comparison.images == found.dataset.test
    assert deployment.champion(serving).id == "v1"  # nothing is promoted by itself
    assert overview.status(serving).next.command == "promote"

    assert deployment.promote(serving, actor="ann").config.model == "v2"
    assert deployment.rollback(serving, actor="bob").config.model == "v1"
    assert [(c.model, c.action, c.actor) for c in deployment.history(serving)] == [
        (1, "deploy", ""),
        (2, "promote", "ann"),
        (1, "rollback", "bob"),
    ]
    assert training.model(serving, "v2").approval is Approval.REJECTED
    with pytest.raises(Conflict, match="No earlier model"):
        deployment.rollback(serving)


def test_an_endpoint_is_deleted_and_what_it_captured_stays(serving: App):
    classification.classify(serving, classification.sample_keys(serving, 4, seed=1))
    capture.ingest(serving)
    labels_of(serving, 1)
    deployment.delete(serving, actor="ann")
    assert deployment.endpoint(serving) is None
    assert capture.captured(serving) == 4
    assert retraining.new_labels(serving) == 1
    assert overview.status(serving).next.command == "deploy"
    with pytest.raises(NotFound, match="deploy one first"):
        deployment.delete(serving)
    deployment.deploy(serving, actor="bob")
    assert [(c.model, c.action, c.actor) for c in deployment.history(serving)] == [
        (1, "deploy", ""),
        (1, "delete", "ann"),
        (1, "deploy", "bob"),
    ]


def test_after_a_deletion_there_is_nothing_to_roll_back_to_until_a_model_serves_again(serving: App):
    registration.wait(serving, training.start(serving, seed=1).name)
    deployment.deploy(serving, "v2")
    deployment.delete(serving)
    assert deployment.previous(serving) is None
    deployment.deploy(serving, "v2")
    assert deployment.previous(serving) == "v1"


def test_no_image_is_both_trained_on_and_measured_with(serving: App):
    classification.classify(serving, classification.sample_keys(serving, 10, seed=1))
    capture.ingest(serving)
    labels_of(serving, 4)
    version = retraining.new_dataset(serving)
    images = etl.images(serving, version.id)
    trained = {image.sha256 for image in images if image.split == "train"}
    assert not trained & {image.sha256 for image in images if image.split == "test"}


def test_the_label_other_keeps_an_image_out_of_training(serving: App):
    classification.classify(serving, classification.sample_keys(serving, 3))
    capture.ingest(serving)
    labels_of(serving, 3, label="other")
    with pytest.raises(Conflict, match="0 new labels"):
        retraining.new_dataset(serving)


def test_retraining_without_labels_says_what_to_do(serving: App):
    with pytest.raises(Conflict, match="review more images of the pool first"):
        retraining.retrain(serving)


def test_two_processes_share_a_home(serving: App, open_home: Callable[[], App]):
    other = open_home()
    assert deployment.champion(other).id == "v1"
    monitoring.set_threshold(other, 0.0)
    [found] = classification.classify(serving, classification.sample_keys(serving, 1))
    assert found.status == "SUCCEEDED"
    assert classification.describe(other, found.name).status == "SUCCEEDED"


def test_classifying_before_deployment_says_what_to_do(app: App, images: Path):
    etl.load(app, str(images))
    with pytest.raises(NotFound, match="deploy one first"):
        classification.classify(app, classification.sample_keys(app, 1))


def test_a_failed_deployment_leaves_the_endpoint_and_its_history_as_they_were(serving: App):
    with pytest.raises(NotFound, match="No model version “v9”"):
        deployment.deploy(serving, "v9")
    assert len(deployment.history(serving)) == 1


def test_the_overview_always_names_the_next_step(app: App, images: Path):
    assert overview.status(app).next.page == "data"
    etl.load(app, str(images))
    assert overview.status(app).next.command == "train"
    job = training.start(app)
    registration.wait(app, job.name)
    assert overview.status(app).next.command == "deploy"
    deployment.deploy(app)
    assert overview.status(app).next.page == "workflow"


def test_a_model_that_serves_or_without_a_reason_is_not_rejected(challenged: App):
    with pytest.raises(Conflict, match="v1 is serving"):
        deployment.reject(challenged, "v1", actor="ada", reason="old")
    with pytest.raises(BadInput, match="give a reason"):
        deployment.reject(challenged, "v2", actor="ada", reason="  ")
    deployment.start_trial(challenged, "v2", 0.1)
    with pytest.raises(Conflict, match="v2 is serving"):
        deployment.reject(challenged, "v2", actor="ada", reason="slower")
    deployment.end_trial(challenged)
    rejected = deployment.reject(challenged, "v2", actor="ada", reason="slower")
    assert (rejected.approval, rejected.rejected_by, rejected.rejection) == (Approval.REJECTED, "ada", "slower")
    assert deployment.challenger(challenged) is None
