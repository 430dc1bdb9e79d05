"""The review desk: what the browser sends is carried out once, in order, whatever happens."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scones_core.domain.review import Strategy
from scones_core.errors import Conflict
from scones_core.services import App, capture, classification, review
from scones_core.ui.review.desk import pictures
from scones_core.ui.review.keys import Desk, Entry, choices, entries
from tests.unit.captured_world import IMAGES, captured_home


@pytest.fixture(scope="module")
def home(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return captured_home(trained_home, tmp_path_factory.mktemp("captured"))


@pytest.fixture
def captured(home: Path, tmp_path: Path, open_home: Callable[[], App]) -> App:
    shutil.copytree(home, tmp_path / "home", symlinks=True)
    return open_home()


@pytest.fixture
def desk(captured: App) -> Desk:
    made = Desk("Ada", Strategy.LEAST_CONFIDENCE)
    made.refill(captured)
    return made


def label(number: int, id: str, name: str = "bicycle", note: str = "") -> Entry:
    return Entry(number, "label", id, name, note)


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
    assert review.decide(captured, first, "bicycle", "Ada", key=f"{first}:{desk.id}:1").revision == 1


def test_undo_takes_back_the_last_decision_and_brings_its_image_back(captured: App, desk: Desk) -> None:
    first, second = desk.waiting[0].id, desk.waiting[1].id
    desk.take(captured, [label(1, first), label(2, second), Entry(3, "undo")])
    assert desk.waiting[0].id == second
    desk.take(captured, [Entry(3, "undo")])
    assert [row["id"] for row in review.reviewed(captured)] == [first]


def test_an_undo_with_the_same_key_takes_back_one_decision_only(captured: App, desk: Desk) -> None:
    desk.take(captured, [label(1, desk.waiting[0].id), label(2, desk.waiting[1].id)])
    for _ in range(2):
        review.undo(captured, "Ada", key="once")
    assert len(review.reviewed(captured)) == 1


def test_an_error_is_told_once_and_does_not_keep_back_what_follows(captured: App, desk: Desk) -> None:
    desk.take(captured, [Entry(1, "undo"), label(2, desk.waiting[0].id)])
    assert len(review.reviewed(captured)) == 1
    with pytest.raises(Conflict):
        desk.raise_error()
    desk.raise_error()


def test_a_skipped_image_has_no_label(captured: App, desk: Desk) -> None:
    desk.take(captured, [Entry(1, "skip", desk.waiting[0].id)])
    assert review.reviewed(captured)[0]["label"] is None


def test_two_reviewers_never_hold_the_same_image(captured: App, desk: Desk) -> None:
    other = Desk("Ben", Strategy.LEAST_CONFIDENCE)
    other.refill(captured)
    assert not {item.id for item in desk.waiting} & {item.id for item in other.waiting}


def test_renewing_leases_the_same_images_again(captured: App, desk: Desk) -> None:
    before = desk.waiting[0]
    desk.take(captured, [Entry(1, "renew")])
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
        [{"action": "label"}],
        [{"number": "1", "action": "label"}],
        [{"number": 1, "action": "skip", "x": 1}],
    ],
)
def test_what_is_not_an_entry_is_left_out(outbox: Any) -> None:
    assert entries(outbox) == []


def test_entries_come_in_the_order_of_their_numbers() -> None:
    outbox = [{"number": 2, "action": "undo"}, {"number": 1, "action": "skip", "id": "a"}]
    assert [entry.number for entry in entries(outbox)] == [1, 2]


def test_classes_have_number_keys_and_other_has_zero() -> None:
    found = choices([f"class_{n}" for n in range(11)])
    assert [choice.key for choice in found] == [*"123456789", "", "", "0"]
    assert found[0].text == "class 0"


def test_a_small_image_is_shown_enlarged_and_in_its_own_pixels() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (32, 32), "red").save(written, "PNG")
    smooth, pixels = pictures(written.getvalue())
    assert smooth.startswith("data:image/webp;base64,")
    assert pixels.startswith("data:image/png;base64,")


@pytest.mark.parametrize("data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\nbroken"])
def test_what_is_not_an_image_is_not_shown(data: bytes) -> None:
    assert pictures(data) == ("", "")
