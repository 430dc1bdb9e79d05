"""Files that survive a crash: written beside, flushed to disk, then renamed."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

from scones_core.errors import Damaged, of_the_system

T = TypeVar("T")


def write_atomically(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace `path` by `data` atomically; `durable` also survives a power loss. Raises OSError."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError):  # of a full disk the system does not say for which file
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def unreadable_as_damaged() -> Iterator[None]:
    """Raise Damaged for a file that the system refuses to read; FileNotFoundError stays as it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Damaged(str(of_the_system(error))) from None


def read(file: Path) -> bytes:
    """The contents of a file of the home. Raises FileNotFoundError, Damaged if the system refuses to read it."""
    with unreadable_as_damaged():
        return file.read_bytes()


class Parsed(Generic[T]):
    """Cache of parsed files; a file is parsed again once replaced, also by another process.

    parse : from a file's bytes and path to its contents
    """

    def __init__(self, parse: Callable[[bytes, str], T]) -> None:
        self._parse = parse
        self._known: dict[str, tuple[tuple[int, int, int], T]] = {}

    def read(self, file: str) -> T:
        """Raises FileNotFoundError, Damaged if the file is unreadable, and any error of `parse`."""
        with unreadable_as_damaged():
            found = os.stat(file)
        stamp = found.st_ino, found.st_mtime_ns, found.st_size
        known = self._known.get(file)
        if known is None or known[0] != stamp:
            known = self._known[file] = (stamp, self._parse(read(Path(file)), file))
        return known[1]
