"""The review desk: what the browser sends is carried out once, in order, whatever happens."""

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from scones_core.db import Database, reviews
from scones_core.domain.review import Strategy
from scones_core.errors import Conflict, Unavailable
from scones_core.services import App, capture, classification, review, review_figures
from scones_core.ui.review.desk import pictures
from scones_core.ui.review.keys import Desk, Entry, choices, entries, most_probable
from tests.unit.captured_world import IMAGES


@pytest.fixture
def desk(captured: App) -> Desk:
    made = Desk("Ada", Strategy.LEAST_CONFIDENCE)
    made.refill(captured)
    return made


def label(number: int, id: str, name: str = "bicycle", note: str = "") -> Entry:
    return Entry(number, f"key-{number}", "label", id, name, note)


def test_the_least_confident_images_come_first_and_some_are_held_ready(captured: App, desk: Desk) -> None:
    assert len(desk.waiting) > 5
    confidences = [item.confidence for item in desk.waiting]
    assert confidences == sorted(confidences)


def test_an_image_that_was_classified_twice_lies_on_the_desk_once(captured: App) -> None:
    classification.classify(captured, classification.sample_keys(captured, IMAGES, seed=0))
    capture.ingest(captured)
    desk, seen = Desk("Ada", Strategy.LEAST_CONFIDENCE), list[str]()
    for number in range(1, 3 * IMAGES):
        desk.refill(captured)
        if not desk.waiting:
            break
        seen.append(capture.inference(captured, desk.waiting[0].id)["image_sha256"])
        desk.take(captured, [label(number, desk.waiting[0].id)])
    assert len(seen) == len(set(seen)) == IMAGES


def test_a_decision_is_recorded_with_its_note_and_the_image_leaves_the_desk(captured: App, desk: Desk) -> None:
    first = desk.waiting[0].id
    desk.take(captured, [label(1, first, "motorcycle", "blurred")])
    (row,) = review.reviewed(captured)
    assert (row["id"], row["label"], row["reviewer"]) == (first, "motorcycle", "Ada")
    assert first not in [item.id for item in desk.waiting]


def test_the_same_entry_sent_again_records_nothing_more(captured: App, desk: Desk) -> None:
    first, second = desk.waiting[0].id, desk.waiting[1].id
    desk.take(captured, [label(1, first)])
    desk.take(captured, [label(1, first), label(2, second)])
    desk.take(captured, [label(1, first), label(2, second)])
    assert sorted(row["id"] for row in review.reviewed(captured)) == sorted([first, second])
    assert review.decide(captured, first, "bicycle", "Ada", key="key-1").revision == 1


def test_undo_takes_back_the_last_decision_and_brings_its_image_back(captured: App, desk: Desk) -> None:
    first, second = desk.waiting[0].id, desk.waiting[1].id
    desk.take(captured, [label(1, first), label(2, second), Entry(3, "key-3", "undo")])
    assert desk.waiting[0].id == second
    desk.take(captured, [Entry(3, "key-3", "undo")])
    assert [row["id"] for row in review.reviewed(captured)] == [first]


def test_an_undo_with_the_same_key_takes_back_one_decision_only(captured: App, desk: Desk) -> None:
    desk.take(captured, [label(1, desk.waiting[0].id), label(2, desk.waiting[1].id)])
    for _ in range(2):
        review.undo(captured, "Ada", key="once")
    assert len(review.reviewed(captured)) == 1


def test_an_error_is_told_once_and_does_not_keep_back_what_follows(captured: App, desk: Desk) -> None:
    desk.take(captured, [Entry(1, "key-1", "undo"), label(2, desk.waiting[0].id)])
    assert len(review.reviewed(captured)) == 1
    with pytest.raises(Conflict):
        desk.raise_error()
    desk.raise_error()


def test_a_skipped_image_has_no_label(captured: App, desk: Desk) -> None:
    desk.take(captured, [Entry(1, "key-1", "skip", desk.waiting[0].id)])
    assert review.reviewed(captured)[0]["label"] is None


def test_two_reviewers_never_hold_the_same_image(captured: App, desk: Desk) -> None:
    other = Desk("Ben", Strategy.LEAST_CONFIDENCE)
    other.refill(captured)
    assert not {item.id for item in desk.waiting} & {item.id for item in other.waiting}


def test_renewing_leases_the_same_images_again(captured: App, desk: Desk) -> None:
    before = desk.waiting[0]
    desk.take(captured, [Entry(1, "key-1", "renew")])
    desk.refill(captured)
    assert desk.waiting[0].id == before.id
    assert desk.waiting[0].lease_expires > before.lease_expires


def test_the_desk_refills_until_nothing_is_left(captured: App, desk: Desk) -> None:
    for number in range(1, 40):
        desk.refill(captured)
        if not desk.waiting:
            break
        desk.take(captured, [label(number, desk.waiting[0].id)])
    assert len(review.reviewed(captured)) == IMAGES
    assert desk.error is None


@pytest.mark.parametrize(
    "outbox",
    [
        None,
        "x",
        [1],
        [{"action": "label", "key": "k"}],
        [{"number": 1, "action": "label"}],
        [{"number": "1", "action": "label", "key": "k"}],
        [{"number": 1, "action": "skip", "key": "k", "x": 1}],
        [{"number": 1, "action": "skip", "key": "k", "revision": "1"}],
    ],
)
def test_what_is_not_an_entry_is_left_out(outbox: Any) -> None:
    assert entries(outbox) == []


def test_entries_come_in_the_order_of_their_numbers() -> None:
    outbox = [
        {"number": 2, "key": "b", "action": "undo"},
        {"number": 1, "key": "a", "action": "skip", "id": "a", "revision": 0},
    ]
    assert [entry.number for entry in entries(outbox)] == [1, 2]


def test_up_to_nine_classes_have_number_keys_and_other_has_zero() -> None:
    found = choices([f"class_{n}" for n in range(9)])
    assert [choice.key for choice in found] == [*"1234567890"]
    assert found[0].text == "class 0"
    assert most_probable([choice.label for choice in found[:9]], {"class_1": 1.0}) == []


def test_more_classes_have_two_digits_and_the_models_first_three_one() -> None:
    names = [f"class_{n}" for n in range(70)]
    found = choices(names)
    keys = [choice.key for choice in found if choice.key]
    assert len(set(keys)) == len(keys) == 61
    assert keys[0] == "40"
    assert not [key for key in keys if key[0] in "123"]
    probabilities = {name: n / 10_000 for n, name in enumerate(names)}
    assert [(one.key, one.label) for one in most_probable(names, probabilities)] == [
        ("1", "class_69"),
        ("2", "class_68"),
        ("3", "class_67"),
    ]


def test_a_second_session_that_is_sent_the_same_entries_records_nothing_more(captured: App, desk: Desk) -> None:
    first, second = desk.waiting[0].id, desk.waiting[1].id
    sent = [label(1, first), label(2, second), Entry(3, "key-3", "undo", second)]
    desk.take(captured, sent)
    again = Desk("Ada", Strategy.LEAST_CONFIDENCE)
    again.take(captured, sent)
    assert [row["id"] for row in review.reviewed(captured)] == [first]
    assert review.item(captured, second).revision == 2
    assert again.done == ["key-1", "key-2", "key-3"]


def test_a_refused_decision_is_told_with_its_key_and_does_not_keep_back_the_others(captured: App, desk: Desk) -> None:
    first, second = desk.waiting[0], desk.waiting[1]
    with captured.db.write() as connection:
        reviews.release(connection, capture.inference(captured, first.id)["image_sha256"])
    review.decide(captured, first.id, "motorcycle", "Ben")
    late = Entry(1, "key-1", "label", first.id, "bicycle", "late", first.revision)
    desk.take(captured, [late, label(2, second.id)])
    assert list(desk.refused) == ["key-1"]
    assert "Ben has said “motorcycle”" in desk.refused["key-1"]
    assert {row["id"]: row["label"] for row in review.reviewed(captured)} == {
        first.id: "motorcycle",
        second.id: "bicycle",
    }
    desk.take(captured, [replace(late, key="key-3", revision=None)])
    assert {row["label"] for row in review.reviewed(captured)} == {"bicycle"}


def test_entries_that_cannot_be_written_now_are_not_processed(captured: App, desk: Desk) -> None:
    sent = [label(1, desk.waiting[0].id), label(2, desk.waiting[1].id)]
    with captured.db.write():
        locked = Database(captured.settings.home, lock_timeout=0.01)
        desk.take(replace(captured, db=locked), sent)
    locked.close()
    assert desk.done == []
    with pytest.raises(Unavailable):
        desk.raise_error()
    desk.take(captured, sent)
    assert len(review.reviewed(captured)) == 2


def test_what_others_hold_is_known_when_nothing_is_left(captured: App, desk: Desk) -> None:
    while desk.waiting and len(desk.waiting) < IMAGES:
        desk.waiting += review.next_items(captured, "Ada", exclude=[item.id for item in desk.waiting])
    other = Desk("Ben", Strategy.LEAST_CONFIDENCE)
    other.refill(captured)
    assert other.waiting == []
    held = review_figures.held_by_others(captured, "Ben")
    assert {one.reviewer for one in held} == {"Ada"}
    assert held == sorted(held, key=lambda one: one.expires)


def test_a_small_image_is_shown_enlarged_and_in_its_own_pixels() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (32, 32), "red").save(written, "PNG")
    smooth, pixels, full = pictures(written.getvalue())
    assert full == ""
    assert smooth.startswith("data:image/webp;base64,")
    assert pixels.startswith("data:image/png;base64,")


@pytest.mark.parametrize("data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\nbroken"])
def test_what_is_not_an_image_is_not_shown(data: bytes) -> None:
    assert pictures(data) == ("", "", "")
