"""Ordered parallel map with a bounded number of pending results, and iteration one item ahead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")


def bounded_map(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """`map` on `workers` threads; at most twice as many results are pending, so memory is bounded.

    `items` is consumed by the caller's thread. Raises the first error in item order; items not started by then are
    skipped.
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def one_ahead(items: Iterable[T]) -> Iterator[T]:
    """The items, each prepared on a thread of its own while the caller works on the one before."""
    coming = iter(items)
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(next, coming, _END)
        while (item := pending.result()) is not _END:
            pending = pool.submit(next, coming, _END)
            yield cast(T, item)


_END = object()
