"""Items come in order, errors reach the caller, and no more is prepared than is asked for."""

import threading
from collections.abc import Iterator

import pytest

from scones_core.bounded_map import bounded_map, one_ahead


def test_results_come_in_the_order_of_the_items():
    assert list(bounded_map(lambda number: number * number, range(20), 3)) == [number * number for number in range(20)]


def test_the_first_error_reaches_the_caller_after_the_results_before_it():
    results = bounded_map(lambda number: 6 // number, [3, 2, 0, 1], 2)
    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_the_next_item_is_prepared_while_the_caller_works_and_no_other():
    made: list[int] = []
    ready = [threading.Event() for _ in range(4)]

    def items() -> Iterator[int]:
        for number, event in enumerate(ready):
            made.append(number)
            event.set()
            yield number

    for number in one_ahead(items()):
        if number < 3:
            assert ready[number + 1].wait(60)
        assert made == list(range(min(number + 2, 4)))


def test_an_error_while_preparing_reaches_the_caller_in_its_turn():
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("damaged")

    coming = one_ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="damaged"):
        next(coming)


def test_who_stops_early_stops_the_preparation():
    ended = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from range(1_000)
        finally:
            ended.set()

    coming = one_ahead(items())
    assert next(coming) == 0
    coming.close()  # type: ignore[attr-defined]
    assert ended.is_set()
