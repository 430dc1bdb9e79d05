"""The object store in a folder: one file per object."""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from scones_core.errors import BadInput, NotFound
from scones_core.local.files import write_atomically
from scones_core.ports import ObjectInfo


class LocalObjectStore:
    """Keys are paths below `folder`; file names that start with a dot are not objects."""

    def __init__(self, folder: Path, bucket: str = "scones") -> None:
        self.folder = folder
        self.bucket = bucket
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, key: str) -> Path:
        """Where the object lies. Raises BadInput for a key that would leave the folder."""
        parts = key.split("/")
        if not key or any(part in ("", "..") or part.startswith(".") for part in parts) or "\0" in key:
            raise BadInput(f"The key “{key}” cannot be used: use names without leading dots, separated by single /.")
        return self.folder.joinpath(*parts)

    def put(self, key: str, data: bytes) -> None:
        write_atomically(self.path(key), data)

    def put_quickly(self, key: str, data: bytes) -> None:
        """As `put`, but a power loss within seconds may lose it; never half of it stands there after a crash."""
        write_atomically(self.path(key), data, durable=False)

    def put_many(self, items: Iterable[tuple[str, bytes]]) -> None:
        for key, data in items:
            self.put_quickly(key, data)
        os.sync()

    def get(self, key: str) -> bytes:
        try:
            return self.path(key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotFound(f"There is no object “{key}” in the bucket “{self.bucket}”.") from None

    def exists(self, key: str) -> bool:
        return self.path(key).is_file()

    def delete(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        top = PurePosixPath(prefix if prefix.endswith("/") else prefix.rpartition("/")[0] or ".")
        if ".." in top.parts:
            return
        for key, entry in _walk(self.folder / top, "" if str(top) == "." else f"{top}/"):
            if key.startswith(prefix) and key > after:
                stat = entry.stat()
                modified = datetime.fromtimestamp(stat.st_mtime, UTC)
                yield ObjectInfo(key, stat.st_size, modified, f"{stat.st_mtime_ns:x}-{stat.st_size:x}")


def _walk(folder: Path, key_prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Files below `folder` in the order of their keys, as S3 lists them."""
    try:
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in sorted(entries, key=lambda entry: entry.name + "/" * entry.is_dir()):
        if entry.is_dir():
            yield from _walk(Path(entry.path), f"{key_prefix}{entry.name}/")
        else:
            yield key_prefix + entry.name, entry
