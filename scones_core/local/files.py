"""Files that survive a crash: written beside, flushed to disk, then renamed."""

import os
import uuid
from collections.abc import Callable
from contextlib import suppress
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


class Parsed(Generic[T]):
    """Cache of parsed files; a file is parsed again once replaced, also by another process.

    parse : from a file's bytes and path to its contents
    """

    def __init__(self, parse: Callable[[bytes, str], T]) -> None:
        self._parse = parse
        self._known: dict[str, tuple[tuple[int, int, int], T]] = {}

    def read(self, file: str) -> T:
        """Raises FileNotFoundError, Damaged if the file is unreadable, and any error of `parse`."""
        try:
            found = os.stat(file)
            stamp = found.st_ino, found.st_mtime_ns, found.st_size
            known = self._known.get(file)
            if known is not None and known[0] == stamp:
                return known[1]
            data = Path(file).read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise Damaged(str(of_the_system(error))) from None
        self._known[file] = (stamp, self._parse(data, file))
        return self._known[file][1]
