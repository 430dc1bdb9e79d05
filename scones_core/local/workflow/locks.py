"""Locks that hold across threads and processes, and that the system releases when a process dies."""

import fcntl
import os
import uuid
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the file's lock; other threads and processes that ask for it wait."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Owner:
    """This process as the owner of executions: a file that it keeps locked for as long as it lives."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.name = uuid.uuid4().hex
        self._descriptor = os.open(self._file(self.name), os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        _OWNERS.add(self)

    def is_dead(self, name: str) -> bool:
        """Tell whether the process that owned `name` has ended."""
        if name == self.name:
            return False
        try:
            descriptor = os.open(self._file(name), os.O_RDWR)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True

    def bury(self, name: str) -> None:
        """Remove the file of a dead owner that owns nothing any more."""
        self._file(name).unlink(missing_ok=True)

    def close(self) -> None:
        if self._descriptor >= 0:
            self.bury(self.name)
            self.forget()

    def forget(self) -> None:
        """Let go of the lock without giving up the name."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.lock"


_OWNERS: "weakref.WeakSet[Owner]" = weakref.WeakSet()


def _forget_owners() -> None:
    for owner in list(_OWNERS):
        owner.forget()


# A forked child inherits the lock; it must not keep a dead parent's executions alive.
os.register_at_fork(after_in_child=_forget_owners)
