"""A folder or a zip file as one flat listing of relative POSIX names, each readable; nothing is ever unpacked."""

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from scones_core.errors import BadInput
from scones_core.sources.model import Skipped
from scones_core.sources.naming import printable

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})


@dataclass(frozen=True)
class TreeLimits:
    """files: in all; file_bytes: of one file; zip_bytes: of a whole zip, unpacked; listing_bytes: of its index."""

    files: int = 200_000
    file_bytes: int = 20 << 20
    zip_bytes: int = 4 << 30
    listing_bytes: int = 32 << 20


@dataclass(frozen=True)
class Tree:
    """name: what the user called it; files: relative name → a function that reads it or raises BadInput."""

    name: str
    files: Mapping[str, Callable[[], bytes]]
    skipped: tuple[Skipped, ...] = ()

    def pictures(self, folder: str = "") -> list[str]:
        """The names of the picture files below `folder` (as "train/"), sorted."""
        return [name for name in sorted(self.files) if name.startswith(folder) and is_picture(name)]

    def below_single_folders(self) -> "Tree":
        """The same without the folders that wrap everything: `photos/train/…` becomes `train/…`."""
        tree = self
        while True:
            tops = {name.split("/", 1)[0] for name in tree.files}
            if len(tops) != 1 or any("/" not in name for name in tree.files) or tops & {"train", "test"}:
                return tree
            inner = {name.split("/", 1)[1]: read for name, read in tree.files.items()}
            if not any("/" in name or name.endswith(".lst") for name in inner):  # it wraps pictures: a class
                return tree
            tree = replace(tree, files=inner)


def is_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES


def _is_hidden(name: str) -> bool:
    """Whether it is what systems leave behind: dotfiles, `__MACOSX`, `Thumbs.db`."""
    return any(
        (part.startswith(".") and part.strip(".")) or part in ("__MACOSX", "Thumbs.db", "desktop.ini")
        for part in name.split("/")
    )


def folder_tree(folder: Path, limits: TreeLimits) -> Tree:
    """The regular files below a folder; linked folders are not followed."""
    files: dict[str, Callable[[], bytes]] = {}
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            if not _is_hidden(relative) and _is_regular(path):
                files[relative] = _FolderFile(path, limits.file_bytes).read
        if len(files) > limits.files:
            raise BadInput(f"{folder.name} holds more than {limits.files:,} files; give a smaller folder.")
    return Tree(folder.name, files)


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


@dataclass(frozen=True)
class _FolderFile:
    path: Path
    most: int

    def read(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                content = file.read(self.most + 1)
        except OSError as error:
            raise BadInput(f"it cannot be read ({(error.strerror or 'error').lower()})") from error
        return _within(content, self.most)


def _within(content: bytes, most: int) -> bytes:
    if len(content) > most:
        raise BadInput(f"it is larger than {most >> 20} MB")
    return content


class _CappedReads(io.BufferedReader):
    """zipfile reads a zip's whole index at once; this refuses an index that would fill the memory."""

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(io.FileIO(path))
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self._most:
            raise BadInput("it lists too many files")
        return super().read(size)


@contextmanager
def zip_tree(archive: Path, limits: TreeLimits) -> Iterator[Tree]:
    """The files of a zip, open while the context lasts. Raises BadInput for what is damaged or unpacks too far."""
    with _CappedReads(archive, limits.listing_bytes) as file, _opened_zip(file, archive.name) as opened:
        listing = [info for info in opened.infolist() if not info.is_dir()]
        if len(listing) > limits.files:
            raise BadInput(f"{archive.name} holds more than {limits.files:,} files; give a smaller one.")
        if sum(info.file_size for info in listing) > limits.zip_bytes:
            raise BadInput(f"{archive.name} unpacks to more than {limits.zip_bytes >> 30} GB; it was not read.")
        shown = [info for info in listing if not _is_hidden(info.filename)]
        safe = {
            info.filename: _ZipFile(opened, info, limits.file_bytes).read for info in shown if _is_inside(info.filename)
        }
        unsafe = [info.filename for info in shown if not _is_inside(info.filename)]
        skipped = tuple(Skipped(printable(name), "its path leads out of the zip file") for name in unsafe)
        yield Tree(archive.name, {name.removeprefix("./"): read for name, read in safe.items()}, skipped)


def _opened_zip(file: io.BufferedReader, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, BadInput, OSError, ValueError, NotImplementedError) as error:
        raise BadInput(f"{name} is a damaged zip file or lists too many files; make it again.") from error


def _is_inside(name: str) -> bool:
    return not name.startswith("/") and "\\" not in name and ":" not in name and ".." not in name.split("/")


@dataclass(frozen=True)
class _ZipFile:
    opened: zipfile.ZipFile
    info: zipfile.ZipInfo
    most: int

    def read(self) -> bytes:
        if self.info.flag_bits & 1:
            raise BadInput("it is protected by a password")
        try:
            with self.opened.open(self.info) as file:
                return _within(file.read(self.most + 1), self.most)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            NotImplementedError,
            RuntimeError,
            ValueError,
        ) as error:
            raise BadInput("it is damaged in the zip file") from error
