"""Answers that are no class, late decisions, and classes that reviewers propose."""

from pathlib import Path

import pytest

from scones_core.db import reviews
from scones_core.domain.review import Status, Strategy
from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.services import App, capture, class_proposals, etl, queues, review, review_figures
from scones_core.services.queues import QueueEntry
from tests.conftest import on_every_database, png
from tests.unit.test_ingest import line

pytestmark = on_every_database


@pytest.fixture
def captured(app: App, images: Path) -> App:
    etl.load(app, str(images))
    files = [b"".join(line(id, image=png(n, upright=True)) for n, id in enumerate("abc"))]
    capture.ingest_files(app, files, classes=["bicycle", "motorcycle"])
    return app


@pytest.mark.parametrize(("answer", "status"), [("unusable", Status.UNUSABLE), ("/unsure", Status.UNSURE)])
def test_an_answer_that_is_no_class_is_no_label_and_is_told_as_it_is(captured: App, answer: str, status: Status):
    found = review.decide(captured, "a", answer, "ann")
    assert (found.label, found.status) == (answer.strip("/"), status)
    [row] = review.reviewed(captured)
    assert (row["label"], row["status"]) == (None, status)
    figures = review_figures.queue(captured)
    assert (figures.labels, figures.decided, getattr(figures, status)) == (0, 1, 1)
    assert "a" not in [item.id for item in review.next_items(captured, "bob", count=9)]


def test_an_unusable_picture_is_an_answer_to_every_queue_and_an_unsure_one_is_not(captured: App):
    for id, answer in (("a", "unusable"), ("b", "unsure")):
        review.decide(captured, id, answer, "ann")
    entries = [QueueEntry(id, "") for id in "abc"]
    queue = queues.create(captured, "All", entries, strategy=Strategy.SELECTION, by="ann")
    assert [item.id for item in review.next_items(captured, "bob", count=9, queue=queue)] == ["b", "c"]


def test_a_decision_that_another_has_overtaken_is_refused_and_the_newer_one_stays(captured: App):
    [item, *_] = review.next_items(captured, "ann", count=3)
    with captured.db.write() as connection:
        reviews.release(connection, capture.inference(captured, item.id)["image_sha256"])
    review.decide(captured, item.id, "bicycle", "bob", revision=item.revision)
    with pytest.raises(Conflict, match="bob has said “bicycle” on this image meanwhile"):
        review.decide(captured, item.id, "motorcycle", "ann", revision=item.revision)
    assert review.reviewed(captured)[0]["label"] == "bicycle"
    assert review.decide(captured, item.id, "motorcycle", "ann").label == "motorcycle"


def test_ones_own_later_decision_is_no_conflict(captured: App):
    [item] = review.next_items(captured, "ann")
    review.decide(captured, item.id, "bicycle", "ann", revision=item.revision)
    review.undo(captured, "ann")
    assert review.decide(captured, item.id, "motorcycle", "ann", revision=item.revision).label == "motorcycle"


def test_a_decision_sent_again_is_no_conflict_however_late(captured: App):
    [item] = review.next_items(captured, "ann")
    review.decide(captured, item.id, "bicycle", "ann", key="k", revision=0)
    review.decide(captured, item.id, "motorcycle", "bob")
    assert review.decide(captured, item.id, "bicycle", "ann", key="k", revision=0).label == "motorcycle"


def test_a_proposed_class_is_other_until_an_operator_accepts_it(captured: App):
    assert class_proposals.propose(captured, "a", " scooter ", "ann").label == "other"
    [proposal] = class_proposals.proposed(captured)
    assert (proposal.name, proposal.images, proposal.by) == ("scooter", 1, ("ann",))
    with pytest.raises(BadInput, match="choose bicycle, motorcycle, other, unusable, unsure"):
        review.decide(captured, "b", "scooter", "bob")
    assert class_proposals.accept(captured, "scooter", "op") == 1
    assert review.decide(captured, "b", "scooter", "bob").label == "scooter"
    assert {(row["id"], row["label"]) for row in review.reviewed(captured)} == {("a", "scooter"), ("b", "scooter")}
    assert class_proposals.proposed(captured) == []
    assert review.next_items(captured, "ann")[0].classes == ("bicycle", "motorcycle", "scooter")


def test_a_proposal_taken_back_or_decided_anew_labels_nothing(captured: App):
    for id in "ab":
        class_proposals.propose(captured, id, "scooter", "ann")
    review.undo(captured, "ann", id="a")
    review.decide(captured, "b", "bicycle", "ann")
    class_proposals.accept(captured, "scooter", "op")
    assert [(row["id"], row["label"]) for row in review.reviewed(captured)] == [("b", "bicycle")]


def test_a_declined_class_is_no_choice_and_its_images_stay_other(captured: App):
    class_proposals.propose(captured, "a", "scooter", "ann", key="k")
    class_proposals.propose(captured, "a", "scooter", "ann", key="k")
    class_proposals.decline(captured, "scooter", "op")
    assert review.reviewed(captured)[0]["label_text"] == "other"
    assert review.next_items(captured, "ann")[0].classes == ("bicycle", "motorcycle")
    with pytest.raises(NotFound, match="No open proposal"):
        class_proposals.accept(captured, "scooter", "op")


@pytest.mark.parametrize(("name", "message"), [("Bicycle", "one of the classes"), ("a/b", "cannot be the name")])
def test_a_name_that_no_new_class_may_have_is_refused(captured: App, name: str, message: str):
    with pytest.raises(BadInput, match=message):
        class_proposals.propose(captured, "a", name, "ann")
    assert review.reviewed(captured) == []
