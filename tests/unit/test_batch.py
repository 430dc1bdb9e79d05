"""Batches: many images, one execution, a summary."""

import pytest

from scones_core.errors import BadDefinition, Damaged, NotFound, SconesError
from scones_core.ports import ExecutionStatus
from scones_core.services import App, batch, batch_results, capture, classification, machines, monitoring
from tests.waiting import until


def test_a_batch_sums_up_what_became_of_each_image(serving: App):
    name = batch.start(serving)
    found = batch.wait(serving, name)
    assert found.status is ExecutionStatus.SUCCEEDED
    assert (found.images, found.errors) == (24, 0)
    assert found.accepted + found.low_confidence == 24
    items = batch_results.items(serving, found)
    assert {item.image for item in items} == {image.key for image in classification.sent_images(serving)}
    assert sum(item.outcome == "accepted" for item in items) == found.accepted
    assert capture.ingest(serving).new == 24
    assert monitoring.figures(serving).low_confidence == found.low_confidence


def test_low_confidence_images_are_named(serving: App):
    monitoring.set_threshold(serving, 0.999999)
    found = batch.wait(serving, batch.start(serving, sample=5))
    assert (found.accepted, found.low_confidence, len(found.low_confidence_keys)) == (0, 5, 5)


def test_an_image_that_cannot_be_read_is_an_error_and_the_others_are_classified(serving: App):
    serving.backend.objects.put("mixed/a.png", serving.backend.objects.get(classification.sample_keys(serving, 1)[0]))
    serving.backend.objects.put("mixed/b.png", b"not an image")
    found = batch.wait(serving, batch.start(serving, prefix="mixed/"))
    assert (found.images, found.errors, found.error_keys) == (2, 1, ("mixed/b.png",))
    [failure] = batch_results.failures(serving, found)
    assert (failure["image"], failure["error"]) == ("mixed/b.png", "ModelError")
    assert "not a readable PNG, JPEG or WebP image" in failure["message"]
    one, other = sorted(batch_results.items(serving, found), key=lambda item: item.image)
    assert (one.image, one.outcome in ("accepted", "low_confidence"), one.confidence is not None) == (
        "mixed/a.png",
        True,
        True,
    )
    assert (other.image, other.outcome, other.confidence, other.error) == ("mixed/b.png", "error", None, "ModelError")


def test_an_empty_prefix_is_refused(serving: App):
    with pytest.raises(NotFound, match="No objects under “nothing/”"):
        batch.start(serving, prefix="nothing/")


def test_a_stopped_batch_is_aborted(serving: App):
    for number in range(400):
        key = classification.sample_keys(serving, 1)[0]
        serving.backend.objects.put(f"many/{number:04}.png", serving.backend.objects.get(key))
    name = batch.start(serving, prefix="many/")
    batch.stop(serving, name)
    with pytest.raises(SconesError, match="ended as ABORTED"):
        batch.wait(serving, name)
    assert [found.name for found in batch.batches(serving)] == [name]


def test_a_damaged_summary_is_named(serving: App):
    serving.backend.objects.put("mixed/b.png", b"not an image")
    found = batch.wait(serving, batch.start(serving, prefix="mixed/"))
    assert found.summary_key
    serving.backend.objects.put(found.summary_key, b'{"errors": [null')
    with pytest.raises(Damaged, match=found.summary_key):
        batch_results.failures(serving, found)


def passing(output: object) -> dict[str, object]:
    return {"StartAt": "Put", "States": {"Put": {"Type": "Pass", "Result": output, "End": True}}}


@pytest.mark.parametrize("output", [None, [], {"accepted": "many"}, {"summary": {"s3_key": 3}}])
def test_what_another_machine_of_the_name_puts_out_is_no_summary(serving: App, output: object):
    serving.backend.machines.put(batch.MACHINE, passing(output))
    found = batch.wait(serving, batch.start(serving))
    assert "not a batch summary" in str(found.error)
    assert batch_results.failures(serving, found) == []


@pytest.mark.parametrize("inferences", [["a"], [None, 0.5], [[0.5]], [2.0, -1.0], "0.5", {"a": 1}])
def test_what_another_machine_puts_out_is_no_inference(serving: App, inferences: object):
    serving.backend.machines.put("odd", passing({"body": {"inferences": inferences}}))
    started = machines.start(serving, "odd", "{}")
    until(lambda: classification.describe(serving, started.name).stopped)
    found = classification.classified(serving, classification.describe(serving, started.name))
    assert (found.status, found.confidence, found.prediction) == ("SUCCEEDED", None, None)


def test_a_damaged_definition_is_refused_by_its_name(serving: App):
    serving.backend.machines.put("own", passing({}))
    [file] = serving.settings.home.rglob("own.asl.json")
    file.write_bytes(file.read_bytes()[:20])
    with pytest.raises(BadDefinition, match="'own'"):
        machines.definition(serving, "own")
    with pytest.raises(BadDefinition, match="'own'"):
        machines.start(serving, "own", "{}")
