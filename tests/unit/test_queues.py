"""A review queue: its images in its order, each with its reason, and how far it is."""

from pathlib import Path

import pytest

from scones_core.domain.review import Strategy
from scones_core.errors import BadInput, NotFound
from scones_core.services import App, capture, etl, queues, review
from scones_core.services.queues import QueueEntry, QueueProgress
from tests.conftest import on_every_database, png
from tests.unit.test_ingest import line

pytestmark = on_every_database


@pytest.fixture
def captured(app: App, images: Path) -> App:
    """Captured inferences “a” to “f”; “d” shows the same image as “a”."""
    etl.load(app, str(images))
    pictures = {"a": 1, "b": 2, "c": 3, "d": 1, "e": 5, "f": 6}
    capture.ingest_files(
        app,
        [b"".join(line(id, 0.5 + n / 20, image=png(n, upright=True)) for id, n in pictures.items())],
        classes=["bicycle", "motorcycle"],
    )
    return app


def made(app: App, *ids: str, strategy: Strategy = Strategy.SELECTION, **more: object) -> int:
    entries = [QueueEntry(id, f"reason of {id}", 0.25) for id in ids]
    return queues.create(app, "Mine", entries, strategy=strategy, by="ann", **more)  # type: ignore[arg-type]


def shown(app: App, queue: int, reviewer: str = "ann") -> list[str]:
    return [item.id for item in review.next_items(app, reviewer, count=10, queue=queue)]


def test_a_queue_gives_its_images_in_its_order_each_once_with_the_reason(captured: App):
    queue = made(captured, "c", "d", "b", "a", strategy=Strategy.AUDIT)
    items = review.next_items(captured, "ann", count=10, queue=queue)
    assert [(item.id, item.why) for item in items] == [(id, f"reason of {id}") for id in ("c", "d", "b")]
    assert {(item.strategy, item.probability, item.queue) for item in items} == {("audit", 0.25, queue)}


def test_a_decision_records_the_draw_of_its_queue(captured: App):
    queue = made(captured, "c", "b", strategy=Strategy.AUDIT)
    shown(captured, queue)
    review.decide(captured, "c", "bicycle", "ann")
    row = review.reviewed(captured)[0]
    assert (row["id"], row["strategy"], row["probability"], row["queue"]) == ("c", "audit", 0.25, queue)


def test_a_late_decision_still_counts_for_the_queue_it_was_shown_in(captured: App):
    queue = made(captured, "c", strategy=Strategy.AUDIT)
    review.decide(captured, "c", "bicycle", "bob", queue=queue)
    assert review.reviewed(captured)[0]["queue"] == queue


def test_progress_counts_the_images_decided(captured: App):
    queue = made(captured, "a", "d", "b", "c")
    assert queues.progress(captured, queue) == QueueProgress(3, 0)
    review.decide(captured, shown(captured, queue)[0], "bicycle", "ann")
    assert queues.progress(captured, queue) == QueueProgress(3, 1)
    review.undo(captured, "ann")
    assert queues.progress(captured, queue) == QueueProgress(3, 0)
    assert shown(captured, queue) == ["a", "b", "c"]


def test_a_label_given_before_the_queue_is_its_answer_and_is_not_asked_again(captured: App):
    review.decide(captured, "a", "motorcycle", "bob")
    queue = made(captured, "d", "b", strategy=Strategy.AUDIT)
    assert shown(captured, queue) == ["b"]
    assert queues.progress(captured, queue) == QueueProgress(2, 1)


def test_an_image_skipped_before_the_queue_is_asked_and_skipped_in_it_is_not_asked_again(captured: App):
    review.decide(captured, "b", None, "bob")
    queue = made(captured, "b")
    assert shown(captured, queue) == ["b"]
    review.decide(captured, "b", None, "ann", queue=queue)
    assert shown(captured, queue) == []
    assert queues.progress(captured, queue) == QueueProgress(1, 1)


def test_a_queue_that_asks_again_asks_for_images_that_have_a_label(captured: App):
    review.decide(captured, "b", "bicycle", "bob")
    queue = made(captured, "b", strategy=Strategy.SELECTION, again=True)
    assert shown(captured, queue) == ["b"]
    review.decide(captured, "b", "motorcycle", "ann", queue=queue)
    assert (shown(captured, queue), queues.progress(captured, queue).decided) == ([], 1)


def test_two_reviewers_per_image_each_see_it_once(captured: App):
    queue = made(captured, "b", "c", reviewers=2)
    for reviewer in ("ann", "bob"):
        assert shown(captured, queue, reviewer) == ["b", "c"]
        for id in ("b", "c"):
            review.decide(captured, id, "bicycle", reviewer, queue=queue)
        assert shown(captured, queue, reviewer) == []
    assert (shown(captured, queue, "cid"), queues.progress(captured, queue)) == ([], QueueProgress(2, 2))


def test_two_reviewers_of_a_queue_never_hold_the_same_image(captured: App):
    queue = made(captured, "a", "b", "c")
    assert [item.id for item in review.next_items(captured, "ann", count=2, queue=queue)] == ["a", "b"]
    assert shown(captured, queue, "bob") == ["c"]


def test_queues_are_listed_newest_first_with_owner_filter_and_progress(captured: App):
    made(captured, "a")
    made(captured, "b", "c", filter={"class": "bicycle"})
    newest, oldest = queues.queues(captured)
    assert (newest.progress.size, newest.filter, newest.created_by) == (2, {"class": "bicycle"}, "ann")
    assert oldest.progress.size == 1


@pytest.mark.parametrize(
    ("entries", "name", "message"),
    [
        ([], "Mine", "would be empty"),
        ([QueueEntry("a", "")], " ", "name is missing"),
        ([QueueEntry("a", "", 1.5)], "Mine", "must be in"),
    ],
)
def test_a_queue_without_name_or_entries_is_refused(captured: App, entries: list[QueueEntry], name: str, message: str):
    with pytest.raises(BadInput, match=message):
        queues.create(captured, name, entries, strategy=Strategy.SELECTION, by="ann")


def test_a_queue_of_unknown_inferences_is_refused_and_leaves_nothing(captured: App):
    with pytest.raises(NotFound, match="“zzz”"):
        made(captured, "a", "zzz")
    assert queues.queues(captured) == []


def test_an_unknown_queue_is_refused(captured: App):
    with pytest.raises(NotFound, match="No review queue 7"):
        review.next_items(captured, "ann", queue=7)


def test_an_order_that_needs_a_queue_is_refused_without_one(captured: App):
    with pytest.raises(BadInput, match="needs a queue"):
        review.next_items(captured, "ann", strategy=Strategy.AUDIT)
