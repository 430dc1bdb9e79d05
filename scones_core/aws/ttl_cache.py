"""TTL cache; final values never expire."""

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from cachetools import TLRUCache

T = TypeVar("T")
KEPT = 10_000


class TtlCache(Generic[T]):
    """Values by name, for any thread.

    seconds : lifetime of a value that may still change.
    final : whether a value can no longer change.
    kept : number of values; the least recently used one goes.
    clock : seconds.
    """

    def __init__(
        self,
        seconds: float,
        final: Callable[[T], bool],
        *,
        kept: int = KEPT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        def until(_name: str, value: T, now: float) -> float:
            return math.inf if final(value) else now + seconds

        self._known: TLRUCache[str, T] = TLRUCache(kept, until, clock)
        self._lock = threading.Lock()

    def get(self, name: str, ask: Callable[[], T]) -> T:
        """The cached value, or that of `ask`."""
        with self._lock, suppress(KeyError):  # asking whether it is there first would let it expire in between
            return self._known[name]
        return self.put(name, ask())

    def put(self, name: str, value: T) -> T:
        with self._lock:
            self._known[name] = value
        return value

    def forget(self, name: str) -> None:
        with self._lock:
            self._known.pop(name, None)
