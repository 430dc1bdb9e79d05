"""Which images are sealed for the test, which are set aside as pool, and which are left for training.

A source may leave all of it open, or bring its own splits. What is decided here follows from the contents alone, never
from the order in which they are listed.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from scones_core.errors import BadInput
from scones_core.sources.model import Candidate, Progress

TEST_SHARE = 1 / 6
STREAM_SHARE = 0.2
MOST_SHARE = 0.9
UNREADABLE = 1.0

Item = TypeVar("Item")


def check_share(share: float) -> float:
    """Return `share`. Raises BadInput outside [0, 0.9]."""
    if 0 <= share <= MOST_SHARE:
        return share
    raise BadInput(f"The share of images set aside as pool must be between 0 and {MOST_SHARE}, and it is {share:g}.")


Aside = Callable[[int], int]  # of so many train images of a class, how many become pool


def by_share(share: float) -> Aside:
    return lambda images: round(share * images)


def but_a_base(base: int) -> Aside:
    """All but `base` images of each class; of fewer than twice as many, half."""
    return lambda images: max(images - base, images // 2)


def divided(candidates: Sequence[Candidate], aside: Aside | None, on_progress: Progress) -> list[Candidate]:
    """The candidates with a split each; where the source gives none, about 1/6 of each class is test.

    Then as many of each class's train images as `aside` says become pool.
    """
    settled: list[_Placed] = []
    unsettled: list[_Placed] = []
    for item in _placed(candidates, aside is not None, on_progress):
        (settled if item.candidate.split else unsettled).append(item)
    for alike in _grouped(unsettled, _label):
        settled += _with_test(alike)
    train = [item for item in settled if item.candidate.split == "train"]
    pool = {id(item) for item in (set_aside(train, aside, _label, _rank) if aside else ())}
    return [replace(item.candidate, split="pool") if id(item) in pool else item.candidate for item in settled]


def set_aside(
    items: Sequence[Item], aside: Aside, label: Callable[[Item], str], rank: Callable[[Item], tuple[float, str]]
) -> list[Item]:
    """`aside(n)` of each class's n items, those of the lowest rank; at least one of each class is left."""
    return [
        item
        for alike in _grouped(items, label)
        for item in sorted(alike, key=rank)[: min(aside(len(alike)), len(alike) - 1)]
    ]


def place(content: bytes) -> float:
    """Where in [0, 1) the content's hash falls."""
    return int.from_bytes(hashlib.sha256(content).digest()[:6], "big") / 2**48


@dataclass(frozen=True)
class _Placed:
    """place: in [0, 1), or UNREADABLE where the file cannot be read or its split is settled."""

    candidate: Candidate
    place: float


def _placed(candidates: Sequence[Candidate], with_pool: bool, on_progress: Progress) -> Iterator[_Placed]:
    for done, candidate in enumerate(candidates):
        open_to_change = not candidate.split or (with_pool and candidate.split == "train")
        if open_to_change:
            on_progress(done, len(candidates), "Dividing the images")
        yield _Placed(candidate, _place(candidate) if open_to_change else UNREADABLE)


def _place(candidate: Candidate) -> float:
    try:
        return place(candidate.read())
    except BadInput:
        return UNREADABLE


def _with_test(alike: Sequence[_Placed]) -> Iterator[_Placed]:
    """The items of one class, as test or train.

    A file falls on the same side whatever stands beside it, unless its class would be left without a test image.
    """
    line = max(TEST_SHARE, min(item.place for item in alike))
    for item in alike:
        split = "test" if item.place <= line else "train"
        yield replace(item, candidate=replace(item.candidate, split=split))


def _rank(item: _Placed) -> tuple[float, str]:
    """By the content; files that cannot be read by their name, so that they fall on both sides as others do."""
    name = item.candidate.name
    return (item.place if item.place < UNREADABLE else place(name.encode(errors="replace")), name)


def _label(item: _Placed) -> str:
    return item.candidate.label


def _grouped(items: Iterable[Item], label: Callable[[Item], str]) -> list[list[Item]]:
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(label(item), []).append(item)
    return list(groups.values())
