"""Answers that are asked for often: kept for a moment, or for good once they cannot change."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
KEPT = 10_000


class Recently(Generic[T]):
    """Remembers values by name.

    seconds : how long a value counts that may still change.
    final : says of a value that it cannot change any more.
    """

    def __init__(self, seconds: float, final: Callable[[T], bool]) -> None:
        self._seconds = seconds
        self._final = final
        self._known: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str, ask: Callable[[], T]) -> T:
        """The value as known, or as `ask` says it."""
        with self._lock:
            known = self._known.get(name)
        if known and (self._final(known[1]) or time.monotonic() - known[0] < self._seconds):
            return known[1]
        return self.put(name, ask())

    def put(self, name: str, value: T) -> T:
        with self._lock:
            self._known[name] = (time.monotonic(), value)
            self._known.move_to_end(name)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return value

    def forget(self, name: str) -> None:
        with self._lock:
            self._known.pop(name, None)
