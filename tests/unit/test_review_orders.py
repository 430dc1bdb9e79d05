"""Orders use what the model in service says; queues are made from orders; what can be reviewed can be found."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scones_core.db import counts
from scones_core.db import inferences as table
from scones_core.domain.review import ReviewFilter, Status, Strategy
from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.services import App, capture, queue_making, queues, review, review_search
from tests.unit.test_ingest import line

CLASSES = ("bicycle", "motorcycle")
START = datetime(2026, 1, 1, tzinfo=UTC)


def seen(app: App, id: str, image: str, confidence: float, *, model: int | None = 1, prediction: int = 0) -> None:
    """An inference of a model; an earlier one of a higher number is newer."""
    with app.db.write() as connection:
        names = table.class_list_ids(connection, [CLASSES])[CLASSES]
        p = [confidence, 1 - confidence] if prediction == 0 else [1 - confidence, confidence]
        row: dict[str, Any] = {
            "event_id": id,
            "time": START + timedelta(seconds=int(connection.scalar(counts.counted()) or 0)),
            "endpoint": "scones-unlimited",
            "variant": "AllTraffic",
            "image_key": f"pool/{image}.png",
            "image_sha256": image,
            "content_type": "image/png",
            "probabilities": p,
            "prediction": prediction,
            "confidence": confidence,
            "margin": 2 * confidence - 1,
            "entropy": 1 - confidence,
            "capture_key": "k",
            "capture_line": 0,
            "model": model,
            "class_list": names,
            "attribution": "model" if model else "imported",
        }
        table.add(connection, [row])


@pytest.fixture
def served(serving: App) -> App:
    """v1 is in service. v2, which it replaced, was unsure of “sure”, v1 is not; only v2 has seen “old”."""
    seen(serving, "sure-before", "sure", 0.51, model=2)
    seen(serving, "sure-now", "sure", 0.99)
    seen(serving, "doubt", "doubt", 0.6)
    seen(serving, "old-1", "old", 0.5, model=2)
    seen(serving, "old-2", "old", 0.55, model=2)
    return serving


@pytest.mark.parametrize("strategy", [Strategy.LEAST_CONFIDENCE, Strategy.MARGIN, Strategy.ENTROPY])
def test_the_model_in_service_decides_and_what_it_has_not_seen_comes_last(served: App, strategy: Strategy):
    items = review.next_items(served, "ann", strategy=strategy, count=9)
    assert [item.id for item in items] == ["doubt", "sure-now", "old-2"]


def test_each_image_says_why_it_is_there(served: App):
    first, *_, last = review.next_items(served, "ann", count=9)
    assert first.why == "Least confident: 60.0% by v1"
    assert last.why == "Least confident: 55.0% by v2; v1, in service, has not seen it"


def test_one_models_inferences_are_ordered_by_what_it_said(served: App):
    items = review.next_items(served, "ann", count=9, model="v2")
    assert [item.id for item in items] == ["old-1", "sure-before"]


def test_a_random_draw_shows_what_the_model_in_service_says(served: App):
    items = review.next_items(served, "ann", strategy=Strategy.RANDOM, count=9)
    assert {item.id for item in items} == {"sure-now", "doubt", "old-2"}


def test_the_oldest_come_first(served: App):
    assert review.next_items(served, "ann", strategy=Strategy.OLDEST)[0].id == "sure-before"


def test_a_page_of_one_predicted_class_has_no_other(served: App):
    seen(served, "moto", "moto", 0.9, prediction=1)
    assert [item.id for item in review.next_items(served, "ann", count=9, predicted="motorcycle")] == ["moto"]


def test_a_queue_of_an_order_keeps_its_size_its_filter_and_its_reasons(served: App):
    id = queue_making.make(
        served, "Low", Strategy.LEAST_CONFIDENCE, size=5, by="ann", filter=ReviewFilter(model="v1", high=0.9)
    )
    queue = queues.get(served, id)
    assert (queue.progress.size, queue.filter) == (1, {"model": "v1", "high": 0.9, "size": 5})
    [item] = review.next_items(served, "bob", count=9, queue=id)
    assert (item.id, item.why, item.probability) == ("doubt", "Least confident: 60.0% by v1", None)


def test_a_queue_of_a_random_draw_knows_its_probability(served: App):
    id = queue_making.make(served, "Sample", Strategy.RANDOM, size=2, by="ann")
    found = [item.probability for item in review.next_items(served, "ann", count=9, queue=id)]
    assert found == pytest.approx([2 / 3] * 2)


def test_a_queue_is_made_of_images_that_someone_has_reserved_too(served: App):
    review.next_items(served, "bob", count=9)
    assert queues.get(served, queue_making.make(served, "All", Strategy.NEWEST, size=9, by="ann")).progress.size == 3


def test_an_empty_queue_is_refused(served: App):
    with pytest.raises(Conflict, match="widen the filter"):
        queue_making.make(served, "None", Strategy.NEWEST, size=9, by="ann", filter=ReviewFilter(predicted="tandem"))


def test_a_queue_has_a_sensible_size(served: App):
    with pytest.raises(BadInput, match="from 1 to"):
        queue_making.make(served, "None", Strategy.NEWEST, size=0, by="ann")


def test_images_on_which_champion_and_challenger_disagree_are_a_queue(challenged: App):
    for image, prediction in (("same", 0), ("differs", 1)):
        seen(challenged, f"{image}-1", image, 0.8, model=1)
        seen(challenged, f"{image}-2", image, 0.7, model=2, prediction=prediction)
    id = queue_making.make(challenged, "Dispute", Strategy.DISAGREEMENT, size=9, by="ann")
    [item] = review.next_items(challenged, "ann", count=9, queue=id)
    assert (item.id, item.why) == ("differs-1", "v1 predicts bicycle (80%), v2 motorcycle (70%)")


def test_without_a_challenger_nothing_disagrees(served: App):
    with pytest.raises(NotFound, match="No challenger"):
        queue_making.make(served, "Dispute", Strategy.DISAGREEMENT, size=9, by="ann")


@pytest.fixture
def decided(serving: App) -> App:
    capture.ingest_files(serving, [line("aaa-1") + line("bbb-2", 0.3)], classes=["bicycle", "motorcycle"])
    review.decide(serving, "aaa-1", "motorcycle", "Zoë", note="wheel 100% hidden")
    return serving


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("aaa", ["aaa-1"]),
        ("BICYCLE", ["aaa-1"]),
        ("motor", ["aaa-1", "bbb-2"]),
        ("zo", ["aaa-1"]),
        ("100% hid", ["aaa-1"]),
        ("%", ["aaa-1"]),
        ("nothing", []),
    ],
)
def test_images_are_found_by_id_class_reviewer_and_note(decided: App, text: str, ids: list[str]):
    assert sorted(found.id for found in review_search.find(decided, text)) == ids


def test_what_is_found_says_its_label_and_state(decided: App):
    [found] = review_search.find(decided, "aaa")
    assert (found.label, found.status, found.reviewer) == ("motorcycle", Status.RELABELLED, "Zoë")
    [found] = review_search.find(decided, "bbb")
    assert (found.label, found.status) == (None, Status.PENDING)


def test_an_empty_search_is_refused(decided: App):
    with pytest.raises(BadInput, match="Nothing to search"):
        review_search.find(decided, "  ")


def test_the_history_of_an_image_has_every_decision_and_inference(decided: App):
    review.undo(decided, "Zoë")
    review.decide(decided, "aaa-1", "bicycle", "Zoë")
    history = review_search.image_history(decided, "aaa-1")
    assert [(past.action, past.label, past.reviewer, past.undone) for past in history.decisions] == [
        ("label", "motorcycle", "Zoë", True),
        ("undo", None, "Zoë", False),
        ("label", "bicycle", "Zoë", False),
    ]
    assert [past.id for past in history.inferences] == ["aaa-1"]
    assert history.decisions[0].note == "wheel 100% hidden"
    assert [past.action for past in review_search.reviewer_history(decided, "Zoë")] == ["label", "undo", "label"]
    assert review_search.reviewers(decided) == ["Zoë"]
