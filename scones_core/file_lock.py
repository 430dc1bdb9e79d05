"""A lock across all processes and threads of one home, released when its process ends."""

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


class FileLock:
    """A lock on a file, which names the holder.

    refusal : error message after `timeout` seconds; may contain {timeout} and {holder}.
    Waiters block in the kernel: a busy process would starve waiters that poll.
    """

    def __init__(self, path: Path, timeout: float, refusal: str) -> None:
        self._path = path
        self._timeout = timeout
        self._refusal = refusal

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raises Unavailable, naming the holder, on timeout."""
        with self._path.open("a+b", buffering=0) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._wait(file)
            file.truncate(0)
            file.write(f"{os.getpid()} ({_program()}) since {datetime.now(UTC):%H:%M:%S} UTC".encode())
            yield

    def _wait(self, file: IO[bytes]) -> None:
        if not self._timeout:
            raise self._refused()
        own = os.dup(file.fileno())  # the same lock; kept alive for a thread that no caller waits for
        acquired: Future[None] = Future()
        threading.Thread(target=_block, args=(own, acquired), name="file lock", daemon=True).start()
        try:
            acquired.result(self._timeout)
        except BaseException as error:
            given_up = acquired.cancel()
            if given_up and isinstance(error, TimeoutError):
                raise self._refused() from None
            if not isinstance(error, TimeoutError):
                raise

    def _refused(self) -> Unavailable:
        holder = self._path.read_text(errors="replace") or "unknown"
        return Unavailable(self._refusal.format(timeout=f"{self._timeout:g} s", holder=f"process {holder}"))


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
