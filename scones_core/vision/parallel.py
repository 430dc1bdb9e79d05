"""Work spread over the processor's cores, with results that do not depend on how many there are."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

__all__ = ["in_order", "one_blas_thread"]

T = TypeVar("T")
R = TypeVar("R")

_lock = threading.Lock()
_inside = 0
_restore: Callable[[], None] | None = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold the process's BLAS at one thread; the last of several concurrent callers restores what was before.

    Small products lose more by waking a second thread than they gain, and sums split among threads
    differ in their last bits from machine to machine.
    """
    global _inside, _restore
    with _lock:
        if _inside == 0:
            _restore = _controller().limit(limits=1, user_api="blas").restore_original_limits
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _restore is not None:
                _restore()


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


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks through all loaded libraries: about 5 ms, hence once
