"""Parallel computation with results independent of the number of cores."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

__all__ = ["in_order", "one_blas_thread"]

T = TypeVar("T")
R = TypeVar("R")


@cache
def one_blas_thread() -> None:
    """Hold the process's BLAS at one thread, from the first call on.

    Small products lose more by waking a second thread than they gain, and sums split among threads
    differ in their last bits from machine to machine.
    """
    ThreadpoolController().limit(limits=1, user_api="blas")


def in_order(function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """`map` on one thread per core; numpy and Pillow release the interpreter's lock while they compute."""
    workers = min(_cores(), len(items))
    if workers <= 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        try:
            yield from pool.map(function, items)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _cores() -> int:
    """Cores this process may use, which a container may have fewer of than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
