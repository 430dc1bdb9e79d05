"""The grid: pages of one predicted class; what the browser sends is carried out once, as the desk would."""

from typing import Any

import pytest

from scones_core.domain.review import Strategy
from scones_core.errors import Conflict
from scones_core.services import App, capture, review, review_pages
from scones_core.services.review import NewDecision
from scones_core.ui.review.grid import Grid, GridEntry, grid_entries


@pytest.fixture
def grid(captured: App) -> Grid:
    made = Grid("Ada", Strategy.LEAST_CONFIDENCE, "bicycle", None, "g")
    made.refill(captured)
    return made


def page(grid: Grid, number: int, *, wrong: int = 0, left: int = 0) -> GridEntry:
    """All images of the grid: the first `left` left for the desk, the next `wrong` labelled motorcycle."""
    ids = [(item.id, item.revision) for item in grid.waiting]
    labels = ["motorcycle"] * wrong + ["bicycle"] * (len(ids) - left - wrong)
    answers = tuple((id, label, rev) for (id, rev), label in zip(ids[left:], labels, strict=True))
    return GridEntry(number, f"page-{number}", "page", answers, tuple(id for id, _ in ids[:left]))


def test_a_page_has_images_of_one_predicted_class(grid: Grid) -> None:
    assert len(grid.waiting) > 3
    assert {item.prediction for item in grid.waiting} == {"bicycle"}


def test_a_page_is_recorded_once_with_its_wrong_images_and_draws(captured: App, grid: Grid) -> None:
    entry, count = page(grid, 1, wrong=1), len(grid.waiting)
    for _ in range(2):
        grid.take(captured, [entry])
    Grid("Ada", Strategy.LEAST_CONFIDENCE, "bicycle", None, "another session").take(captured, [entry])
    rows = review.reviewed(captured)
    assert sorted(row["label"] for row in rows) == ["bicycle"] * (count - 1) + ["motorcycle"]
    assert {review.item(captured, row["id"]).revision for row in rows} == {1}
    assert {(row["strategy"], row["probability"]) for row in rows} == {("least_confidence", 1.0)}
    assert grid.waiting == []


def test_a_page_taken_back_comes_again_with_its_images(captured: App, grid: Grid) -> None:
    entry, before = page(grid, 1, wrong=2, left=1), [item.id for item in grid.waiting]
    grid.take(captured, [entry])
    undo = GridEntry(2, "undo-2", "undo", entry.answers, entry.left)
    grid.take(captured, [entry, undo])
    grid.take(captured, [undo])
    assert review.reviewed(captured) == []
    assert sorted(item.id for item in grid.waiting) == sorted(before)


def test_images_left_for_the_desk_are_free_and_do_not_come_on_the_next_page(captured: App, grid: Grid) -> None:
    entry = page(grid, 1, left=1)
    grid.take(captured, [entry])
    grid.refill(captured)
    assert entry.left[0] not in [item.id for item in grid.waiting]
    assert entry.left[0] in [item.id for item in review.next_items(captured, "Ben", count=99)]


def test_one_refused_image_does_not_keep_back_its_page(captured: App, grid: Grid) -> None:
    first, count = grid.waiting[0], len(grid.waiting)
    review_pages.leave(captured, [first.id], "Ada")
    review.decide(captured, first.id, "motorcycle", "Ben")
    grid.take(captured, [page(grid, 1)])
    assert isinstance(grid.error, Conflict)
    assert f"1 of {count} images of the page. Ben has said “motorcycle”" in str(grid.error)
    labels = {row["id"]: row["label"] for row in review.reviewed(captured)}
    assert labels.pop(first.id) == "motorcycle"
    assert list(labels.values()) == ["bicycle"] * (count - 1)


def test_nobody_ends_anothers_lease(captured: App, grid: Grid) -> None:
    review_pages.leave(captured, [grid.waiting[0].id], "Ben")
    with pytest.raises(Conflict, match="Ada is reviewing"):
        review.decide(captured, grid.waiting[0].id, "bicycle", "Ben")


def test_an_unknown_image_or_label_is_told_by_id(captured: App, grid: Grid) -> None:
    answers = [NewDecision("nope", "bicycle"), NewDecision(grid.waiting[0].id, "boat")]
    refused = review_pages.decide_page(captured, answers, "Ada", key="k")
    assert set(refused) == {"nope", grid.waiting[0].id}
    assert capture.captured(captured) == 12


@pytest.mark.parametrize("outbox", [None, "x", [1], [{"number": 1, "key": "k", "action": "page", "answers": [1]}]])
def test_what_is_no_page_is_left_out(outbox: Any) -> None:
    assert grid_entries(outbox) == []
