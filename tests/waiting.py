"""Waiting for other threads and processes."""

import time
from collections.abc import Callable
from typing import TypeVar

LIMIT = 300.0  # seconds; ends a test that hangs, on any machine

T = TypeVar("T")


def until(condition: Callable[[], T], missing: str = "it did not happen") -> T:
    """Look again and again until the condition holds, and return what it gave. Fails with `missing` after LIMIT."""
    end = time.monotonic() + LIMIT
    while not (found := condition()):
        assert time.monotonic() < end, missing
        time.sleep(0.01)
    return found
