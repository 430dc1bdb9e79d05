"""A cold start: typical images of each group of images alike come first."""

import numpy as np

from scones_core.domain.review import ReviewFilter, Strategy
from scones_core.services import App, queue_making, queues, review
from scones_core.vision.typical import typical


def groups(sizes: list[int], *, spread: float = 0.02) -> np.ndarray:
    """Unit vectors around one direction each; of each group the first one lies in its middle."""
    random, rows = np.random.default_rng(0), []
    for group, size in enumerate(sizes):
        centre = np.eye(16)[group]
        rows += [centre, *(centre + spread * random.normal(size=16) for _ in range(size - 1))]
    found = np.array(rows)
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def test_the_middle_of_the_largest_group_comes_first_and_each_group_once():
    vectors = groups([40, 30, 20])
    found = typical(vectors, vectors[:0], 3)
    assert [one.alike for one in found] == [40, 30, 20]
    assert [one.place for one in found] == [0, 40, 70]


def test_a_group_that_has_a_label_comes_after_those_that_have_none():
    vectors = groups([40, 30, 20])
    found = typical(vectors[1:], vectors[:1], 2)
    assert [one.place for one in found] == [39, 69]


def test_there_are_no_more_typical_images_than_images_and_none_comes_twice():
    vectors = groups([3, 2])
    found = typical(vectors, vectors[:0], 9)
    assert sorted(one.place for one in found) == list(range(5))
    assert typical(vectors[:0], vectors, 9) == []


def test_a_queue_of_typical_images_says_of_how_many_and_is_the_first_choice_of_a_cold_start(captured: App):
    assert queue_making.is_cold(captured)  # 16 training images per class
    id = queue_making.make(captured, "Start", Strategy.TYPICAL, size=4, by="op", filter=ReviewFilter(model="v1"))
    assert queues.get(captured, id).progress.size == 4
    items = review.next_items(captured, "Ann", queue=id, count=9)
    assert len({item.id for item in items}) == 4
    assert all(item.why.startswith("Typical of ") for item in items)
    review.decide(captured, items[0].id, "bicycle", "Ann", queue=id)
    again = queue_making.make(captured, "More", Strategy.TYPICAL, size=20, by="op")
    assert queues.get(captured, again).progress.size == 11  # what has a label is not offered again
