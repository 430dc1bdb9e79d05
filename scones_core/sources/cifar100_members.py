"""The files of CIFAR-100, found in the archive or in a folder, and read in chunks; nothing is ever unpacked to disk."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from scones_core.errors import BadInput
from scones_core.sources.naming import printable

CHUNK = 1 << 20
MEMBERS = ("train", "test", "meta")


@dataclass(frozen=True)
class ArchiveLimits:
    """Bytes, uncompressed; the published archive has 187 MB in all and 155 MB in its largest member."""

    total: int = 512 * CHUNK
    member: int = 256 * CHUNK


@dataclass(frozen=True)
class Member:
    """One file. title: for messages; chunks: its content, to be read before the next member is asked for."""

    name: str
    title: str
    chunks: Iterator[bytes]


@dataclass(frozen=True)
class Members:
    """title: what the user called the whole; find: yields those of the named files that exist, in stored order."""

    title: str
    find: Callable[[Sequence[str]], Iterator[Member]]


def unpacked_folder(path: Path) -> Path | None:
    """The folder in which the archive's files lie: `path`, or the `cifar-100-python` in it; None where they do not."""
    for folder in (path, path / "cifar-100-python"):
        if all((folder / name).is_file() for name in MEMBERS):
            return folder
    return None


def folder_members(folder: Path, limits: ArchiveLimits | None = None) -> Members:
    """The members in the folder that the archive unpacks to."""
    most = (limits or ArchiveLimits()).member
    where = printable(folder.name)

    def find(wanted: Sequence[str]) -> Iterator[Member]:
        for name in wanted:
            title = f"“{name}” of {where}"
            _check_size((folder / name).stat().st_size, most, title)
            with (folder / name).open("rb") as file:
                yield Member(name, title, _chunks(file, where))

    return Members(where, find)


def archive_members(archive: Path, limits: ArchiveLimits | None = None) -> Members:
    """The members of a tar archive, read as a stream from its beginning each time."""
    sizes = limits or ArchiveLimits()
    where = printable(archive.name)

    def find(wanted: Sequence[str]) -> Iterator[Member]:
        with (
            _damage_named(where),
            _decompressed(archive, sizes) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            for entry in tar:
                name = PurePosixPath(entry.name).name
                if entry.isreg() and name in wanted:
                    title = f"“{name}” of {where}"
                    _check_size(entry.size, sizes.member, title)
                    yield Member(name, title, _chunks(tar.extractfile(entry), where))

    return Members(where, find)


def _check_size(size: int, most: int, title: str) -> None:
    if size > most:
        raise BadInput(f"{title} is larger than CIFAR-100's ever was; it was not read.")


def _chunks(file: IO[bytes] | None, title: str) -> Iterator[bytes]:
    assert file is not None
    with _damage_named(title):
        while chunk := file.read(CHUNK):
            yield chunk


@contextmanager
def _damage_named(title: str) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise BadInput(f"{title} is damaged, cut short, or no CIFAR-100 archive; download it again.") from error


@contextmanager
def _decompressed(archive: Path, limits: ArchiveLimits) -> Iterator[BinaryIO]:
    with archive.open("rb") as file:
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        inner = gzip.GzipFile(fileobj=file) if packed else file
        yield cast(BinaryIO, _Counted(inner, limits.total, printable(archive.name)))


class _Counted(io.RawIOBase):
    """The decompressed archive; refuses to go on past `most` bytes."""

    def __init__(self, inner: "gzip.GzipFile | io.BufferedReader", most: int, name: str) -> None:
        self._inner, self._left, self._name = inner, most, name

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        content = self._inner.read(min(size, CHUNK) if size >= 0 else CHUNK)
        self._left -= len(content)
        if self._left < 0:
            raise BadInput(f"{self._name} unpacks to far more than CIFAR-100 holds; it was not read.")
        return content
