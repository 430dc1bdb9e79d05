"""Channels of a training job: a folder of images, and a folder that holds one `.lst` file about them."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import overload

from scones_core.errors import BadInput

__all__ = ["Channel", "lst_rows", "read_list"]


class Channel(Sequence[bytes]):
    """The image files that a `.lst` file names, each read when it is asked for.

    names : relative paths, as in the file.  labels : class indices.
    """

    def __init__(self, folder: Path, list_folder: Path) -> None:
        lists = sorted(list_folder.glob("*.lst"))
        if len(lists) != 1:
            raise BadInput(f"The channel folder {list_folder.name} holds {len(lists)} .lst files; it must hold one.")
        self._folder = folder
        rows = read_list(lists[0])
        self.labels = [label for label, _ in rows]
        self.names = [name for _, name in rows]

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        if isinstance(index, slice):
            return [self._read(name) for name in self.names[index]]
        return self._read(self.names[index])

    def _read(self, name: str) -> bytes:
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            raise BadInput(f"The .lst file names {name}, which cannot be read in the image channel; add it.") from None


def read_list(path: Path) -> list[tuple[int, str]]:
    """Class index and relative path of each line of a `.lst` file.  Raises BadInput naming the line; OSError."""
    try:
        return lst_rows(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError:
        raise BadInput(f"{path.name} cannot be read as UTF-8 text; write it again.") from None


def lst_rows(text: str, file: str = "train.lst") -> list[tuple[int, str]]:
    """Class index and relative path of each line.  Raises BadInput naming the file and line."""
    return [_row(file, number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _row(file: str, number: int, line: str) -> tuple[int, str]:
    """Class index and path of one line: `row  class-index  relative/path.png`, separated by tabs."""
    columns = line.split("\t")
    try:
        _, label, name = columns
        index = int(label)
    except ValueError:
        raise BadInput(f"{file}, line {number}: expected a row number, a class index and a path, with tabs.") from None
    path = PurePosixPath(name)
    if index < 0 or path.is_absolute() or ".." in path.parts:
        raise BadInput(f"{file}, line {number}: the class index must be 0 or more, and the path inside the channel.")
    return index, name
