"""The object store in a folder: one file per object."""

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from scones_core.errors import BadInput, NotFound
from scones_core.local.files import sync_folder, write_atomically
from scones_core.ports import ObjectInfo

LONGEST_PART = 240  # bytes: file systems allow 255, and a file that is being written has a longer name


class LocalObjectStore:
    """Keys are paths below `folder`; file names that start with a dot are not objects."""

    at_once = 1  # files need no waiting: more threads would not help

    def __init__(self, folder: Path, bucket: str = "scones") -> None:
        self.folder = folder
        self.bucket = bucket
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, key: str) -> Path:
        """Where the object lies. Raises BadInput for a key that would leave the folder."""
        parts = key.split("/")
        if not key or any(part in ("", "..") or part.startswith(".") for part in parts) or "\0" in key:
            raise BadInput(f"The key “{key}” cannot be used: use names without leading dots, separated by single /.")
        if any(len(part.encode("utf-8", "surrogatepass")) > LONGEST_PART for part in parts):
            raise BadInput(f"The key “{key[:80]}…” cannot be used: parts are limited to {LONGEST_PART} bytes.")
        if not key.isprintable() and not key.encode("utf-8", "replace").decode() == key:
            raise BadInput(f"The key {key!a} cannot be used: it is not text.")
        return self.folder.joinpath(*parts)

    def put(self, key: str, data: bytes) -> None:
        write_atomically(self.path(key), data)

    def put_many(self, items: Iterable[tuple[str, bytes]]) -> None:
        for key, data in items:
            write_atomically(self.path(key), data, durable=False)
        os.sync()

    def make_durable(self, keys: Iterable[str]) -> None:
        folders = set()
        for key in keys:
            with suppress(NotFound), self._opened(key) as file:  # captures expire
                os.fsync(file.fileno())
            folders.add(self.path(key).parent)
        for folder in list(folders):  # with those that an hour's first capture made
            folders |= {above for above in folder.parents if above.is_relative_to(self.folder)}
        for folder in folders:
            sync_folder(folder)

    def get(self, key: str) -> bytes:
        with self._opened(key) as file:
            return file.read()

    def get_range(self, key: str, start: int, end: int) -> bytes:
        with self._opened(key) as file:
            file.seek(start)
            return file.read(end - start)

    def exists(self, key: str) -> bool:
        return self.path(key).is_file()

    def delete(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        for key, entry in self._walk(prefix.rpartition("/")[0]):
            if key.startswith(prefix) and key > after and entry.is_file():
                yield _info(key, entry)

    def listdir(self, prefix: str = "") -> tuple[Sequence[str], Sequence[ObjectInfo]]:
        found = self._entries(prefix.rstrip("/"))
        folders = [f"{key}/" for key, entry in found if entry.is_dir()]
        return folders, [_info(key, entry) for key, entry in found if entry.is_file()]  # no dead link, no pipe

    @contextmanager
    def _opened(self, key: str) -> Iterator[BinaryIO]:
        try:
            file = self.path(key).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotFound(f"No object “{key}” in the bucket “{self.bucket}”.") from None
        with file:
            yield file

    def _walk(self, folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Files below a folder in the order of their keys, as S3 lists them."""
        for key, entry in self._entries(folder):
            if entry.is_dir():
                yield from self._walk(key)
            else:
                yield key, entry

    def _entries(self, folder: str) -> Sequence[tuple[str, os.DirEntry[str]]]:
        """What lies right in a folder, by key, in the order of S3's listing; folders without the / at their end."""
        if folder.startswith("/") or ".." in folder.split("/"):
            return []
        try:
            entries = [entry for entry in os.scandir(self.folder / folder) if not entry.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return []
            raise
        entries.sort(key=lambda entry: entry.name + "/" * entry.is_dir())
        return [(f"{folder}/{entry.name}" if folder else entry.name, entry) for entry in entries]


def _info(key: str, entry: os.DirEntry[str]) -> ObjectInfo:
    stat = entry.stat()
    modified = datetime.fromtimestamp(stat.st_mtime, UTC)
    return ObjectInfo(key, stat.st_size, modified, f"{stat.st_mtime_ns:x}-{stat.st_size:x}")
