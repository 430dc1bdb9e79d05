"""Locks that hold across threads and processes, and that the system releases when a process dies."""

import fcntl
import os
import uuid
import weakref
from contextlib import AbstractContextManager
from pathlib import Path

from scones_core.file_lock import FileLock

TIMEOUT = 30.0  # seconds
_REFUSAL = "“workflows/{}” has been locked for {{timeout}} by {{holder}}: wait until it finishes, or end it."


def locked(file: Path) -> AbstractContextManager[None]:
    """Hold the file's lock; other threads and processes wait for it, and raise Unavailable after half a minute."""
    return FileLock(file, TIMEOUT, _REFUSAL.format(file.name)).held()


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
        """Whether the process that owned `name` has ended."""
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
