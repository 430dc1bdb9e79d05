"""What reviewers can rely on."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scones_core.db import reviews as leases
from scones_core.domain.review import ORDERS, Status, Strategy
from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.services import App, capture, etl, label_export, review
from tests.conftest import on_every_database, png
from tests.unit.test_ingest import line

pytestmark = on_every_database


@pytest.fixture
def queue(app: App, images: Path) -> App:
    """Four captured inferences, “a” the least confident; “d” shows the same image as “a”."""
    etl.load(app, str(images))
    pictures = {"a": 1, "b": 2, "c": 3, "d": 1}
    confidences = {"a": 0.55, "b": 0.65, "c": 0.75, "d": 0.85}
    capture.ingest_files(
        app,
        [b"".join(line(id, confidences[id], image=png(n, upright=True)) for id, n in pictures.items())],
        classes=["bicycle", "motorcycle"],
    )
    return app


def test_the_least_confident_inference_comes_first_and_each_image_once(queue: App):
    items = review.next_items(queue, "ann", count=10)
    assert [item.id for item in items] == ["a", "b", "c"]
    assert items[0].probabilities == {"bicycle": 0.55, "motorcycle": pytest.approx(0.45)}


def test_two_reviewers_never_hold_the_same_image(queue: App):
    mine = review.next_items(queue, "ann", count=2)
    theirs = review.next_items(queue, "bob", count=10)
    assert [item.id for item in mine] == ["a", "b"]
    assert [item.id for item in theirs] == ["c"]
    with pytest.raises(Conflict, match="ann is reviewing"):
        review.decide(queue, "a", "bicycle", "bob")


def test_an_expired_lease_frees_the_image(queue: App, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(review, "LEASE", timedelta(seconds=-1))
    review.next_items(queue, "ann", count=3)
    assert [item.id for item in review.next_items(queue, "bob", count=1)] == ["a"]


def test_a_lease_of_a_clock_that_was_ahead_bars_nobody(queue: App):
    image = capture.inference(queue, "a")["image_sha256"]
    with queue.db.write() as connection:
        leases.lease(connection, image, "ann", datetime.now(UTC) + timedelta(days=3))
    assert review.next_items(queue, "bob", count=1)[0].id == "a"
    assert review.decide(queue, "a", "bicycle", "bob").revision == 1


def test_a_lease_of_a_machine_whose_clock_is_a_little_ahead_holds(queue: App):
    image = capture.inference(queue, "a")["image_sha256"]
    with queue.db.write() as connection:
        leases.lease(connection, image, "ann", datetime.now(UTC) + review.LEASE + timedelta(seconds=30))
    assert review.next_items(queue, "bob", count=1)[0].id == "b"
    with pytest.raises(Conflict, match="ann is reviewing"):
        review.decide(queue, "a", "bicycle", "bob")


def test_a_decided_image_does_not_come_again(queue: App):
    found = review.decide(queue, "a", "motorcycle", "ann")
    assert (found.status, found.revision) == (Status.RELABELLED, 1)
    assert [item.id for item in review.next_items(queue, "ann", count=10)] == ["b", "c"]


def test_the_models_own_class_is_a_confirmation(queue: App):
    assert review.decide(queue, "b", "bicycle", "ann").status is Status.CONFIRMED


def test_the_same_idempotency_key_records_once(queue: App):
    for _ in range(3):
        found = review.decide(queue, "a", "motorcycle", "ann", key="press-1")
    assert found.revision == 1


def test_undo_brings_the_image_back_and_keeps_the_record(queue: App):
    review.decide(queue, "a", "motorcycle", "ann")
    found = review.undo(queue, "ann")
    assert (found.id, found.label, found.status, found.revision) == ("a", None, Status.PENDING, 2)
    assert review.next_items(queue, "ann")[0].id == "a"


def test_undo_after_a_second_thought_restores_the_first_decision(queue: App):
    review.decide(queue, "a", "motorcycle", "ann")
    review.decide(queue, "a", "bicycle", "ann")
    assert review.undo(queue, "ann").label == "motorcycle"
    assert review.undo(queue, "ann").label is None
    with pytest.raises(Conflict, match="no decision to take back"):
        review.undo(queue, "ann")


def test_nobody_takes_back_anothers_decision(queue: App):
    review.decide(queue, "a", "motorcycle", "ann")
    with pytest.raises(Conflict, match="bob has no decision"):
        review.undo(queue, "bob")


def test_a_skipped_image_is_set_aside_without_a_label(queue: App):
    assert review.decide(queue, "a", None, "ann").status is Status.SKIPPED
    assert "a" not in [item.id for item in review.next_items(queue, "ann", count=10)]
    with pytest.raises(NotFound, match="No reviewed labels"):
        label_export.export(queue, label_export.ExportFormat.CSV)


@pytest.mark.parametrize("strategy", ORDERS)
def test_every_strategy_offers_every_image(queue: App, strategy: Strategy):
    assert len(review.next_items(queue, "ann", strategy=strategy, count=10)) == 3


def test_an_unknown_label_is_refused_with_the_choices(queue: App):
    with pytest.raises(BadInput, match="choose bicycle, motorcycle, other"):
        review.decide(queue, "a", "scooter", "ann")


def test_an_unknown_inference_is_refused(queue: App):
    with pytest.raises(NotFound, match="No captured inference"):
        review.decide(queue, "nope", "bicycle", "ann")


def test_a_reviewer_needs_a_name(queue: App):
    with pytest.raises(BadInput, match="name is missing"):
        review.next_items(queue, " ")


def test_the_manifest_is_an_augmented_manifest(queue: App):
    review.decide(queue, "a", "motorcycle", "ann")
    text, rows = label_export.export(queue, label_export.ExportFormat.MANIFEST)
    [entry] = [json.loads(row) for row in text.splitlines()]
    assert rows == 1
    assert entry["source-ref"].startswith("s3://scones/")
    assert entry["label"] == 1
    assert entry["label-metadata"]["class-name"] == "motorcycle"
    assert entry["label-metadata"]["human-annotated"] == "yes"


def test_the_label_studio_export_carries_the_label_and_the_prediction(queue: App):
    review.decide(queue, "a", "motorcycle", "ann")
    [task] = json.loads(label_export.export(queue, label_export.ExportFormat.LABEL_STUDIO)[0])
    assert task["annotations"][0]["result"][0]["value"]["choices"] == ["motorcycle"]
    assert task["predictions"][0]["result"][0]["value"]["choices"] == ["bicycle"]


def test_a_csv_cell_never_becomes_a_formula(queue: App):
    review.decide(queue, "a", "motorcycle", "=cmd()")
    assert ",'=cmd()," in label_export.export(queue, label_export.ExportFormat.CSV)[0]


def test_decisions_are_on_disk_when_they_are_acknowledged(queue: App, open_home):
    review.decide(queue, "a", "motorcycle", "ann")
    assert review.reviewed(open_home())[0]["label"] == "motorcycle"
    assert review.reviewed(queue)[0]["time"] <= datetime.now(UTC)
