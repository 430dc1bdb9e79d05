"""The lock under which write transactions of all processes on one home run one after another."""

import fcntl
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from scones_core.errors import Unavailable


class WriteLock:
    """A lock on a file; whoever holds it is named in the file.

    timeout : seconds to wait. Waiters block in the kernel, so that a busy process does not starve the others, as it
    does those that poll.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._timeout = timeout

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raises Unavailable, naming the holder, when the lock cannot be had in time."""
        with self._path.open("a+b", buffering=0) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._wait(file)
            file.truncate(0)
            file.write(f"{os.getpid()} ({_program()}) since {datetime.now(UTC):%H:%M:%S} UTC".encode())
            yield

    def _wait(self, file: IO[bytes]) -> None:
        own = os.dup(file.fileno())  # the same lock; keeps it alive for a thread that nobody waits for any more
        acquired: Future[None] = Future()
        threading.Thread(target=_block, args=(own, acquired), name="write lock", daemon=True).start()
        try:
            acquired.result(self._timeout)
        except BaseException as error:
            given_up = acquired.cancel()
            if given_up and isinstance(error, TimeoutError):
                holder = self._path.read_text(errors="replace") or "unknown"
                raise Unavailable(
                    f"The database has been locked for {self._timeout:g} s by process {holder}: wait until it has "
                    "finished writing, or end it."
                ) from None
            if not isinstance(error, TimeoutError):
                raise


def _block(descriptor: int, acquired: "Future[None]") -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if acquired.set_running_or_notify_cancel():
            acquired.set_result(None)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _program() -> str:
    path = Path(sys.argv[0])
    return path.parent.name if path.stem == "__main__" else path.name
