"""A folder or a zip file as one flat listing of relative POSIX names, each readable; nothing is ever unpacked."""

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from scones_core.errors import BadInput
from scones_core.sources.file_names import decoded
from scones_core.sources.model import Skipped
from scones_core.sources.naming import composed, printable

PICTURE_SUFFIXES = frozenset({".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".webp"})
# Files that lie beside pictures and are none.
TEXT_SUFFIXES = frozenset(
    {".txt", ".md", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".html", ".htm", ".lst", ".idx", ".rec"}
    | {".log", ".py", ".ipynb", ".toml", ".ini", ".cfg", ".pdf", ".mat", ".npy", ".npz", ".db", ".xlsx", ".zip"}
)
LITTER = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini", "Icon\r"})
MOST_WRAPS = 30
SAME_NAME = "another file has the same name"
Read = Callable[[], bytes]


@dataclass(frozen=True)
class TreeLimits:
    """files: in all; file_bytes: of one file; zip_bytes: of a whole zip, unpacked; listing_bytes: of its index."""

    files: int = 200_000
    file_bytes: int = 20 << 20
    zip_bytes: int = 4 << 30
    listing_bytes: int = 32 << 20


@dataclass(frozen=True)
class Tree:
    """name: what the user called it; files: relative name → a function that reads it or raises BadInput.

    codec: in which the names were written, and so perhaps the texts beside them.
    """

    name: str
    files: Mapping[str, Read]
    skipped: tuple[Skipped, ...] = ()
    codec: str = "utf-8"

    def pictures(self, folder: str = "") -> list[str]:
        """The names of the picture files below `folder` (as "train/"), sorted.

        Files without a suffix count where they lie beside pictures, or where no file has a picture's suffix.
        """
        found = {name for name in self.files if is_picture(name)}
        places = {name.rpartition("/")[0] for name in found}
        for name in self.files:
            if not _suffix(name) and (not places or name.rpartition("/")[0] in places):
                found.add(name)
        return sorted(name for name in found if name.startswith(folder))

    def others(self, folders: Iterable[str]) -> list[str]:
        """The files directly in these folders that are no pictures by their names, and no texts; sorted."""
        places = set(folders)
        return sorted(
            name
            for name in self.files
            if name.rpartition("/")[0] in places and _suffix(name) and not is_picture(name) and not _is_text(name)
        )

    def below_single_folders(self) -> "Tree":
        """The same without the folders that wrap everything: `photos/train/…` becomes `train/…`.

        Single files and folders of texts may lie beside them: they stay, but for those whose name is taken then.
        """
        tree = self
        for _ in range(MOST_WRAPS):
            top = tree._only_folder()
            inner = {name.removeprefix(top): read for name, read in tree.files.items() if name.startswith(top)}
            if not top or not _is_arranged(replace(tree, files=inner)):
                return tree
            beside = {name: read for name, read in tree.files.items() if not name.startswith(top)}
            lost = [Skipped(printable(name), SAME_NAME) for name in beside if name in inner and is_picture(name)]
            tree = replace(tree, files=beside | inner, skipped=(*tree.skipped, *lost))
        return tree

    def _only_folder(self) -> str:
        """The one that holds more than texts (as "photos/"); empty where there is none, or where lists lie beside."""
        if any("/" not in name and _is_list(name) for name in self.files):
            return ""
        tops = {name.split("/", 1)[0] for name in self.files if "/" in name and (_is_list(name) or not _is_text(name))}
        return f"{tops.pop()}/" if len(tops) == 1 else ""


def _is_arranged(tree: Tree) -> bool:
    """Whether there are folders of pictures, or lists: a folder that holds neither is a class."""
    return any(map(_is_list, tree.files)) or any("/" in name for name in tree.pictures())


def is_picture(name: str) -> bool:
    return _suffix(name) in PICTURE_SUFFIXES


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _is_list(name: str) -> bool:
    return _suffix(name) == ".lst"


def _is_text(name: str) -> bool:
    return _suffix(name) in TEXT_SUFFIXES


def tree_of(name: str, files: Iterable[tuple[str, Read]], codec: str, what: str) -> Tree:
    """A tree of files as they are called in `what`, made comparable; what cannot be placed is skipped.

    Raises BadInput where nothing can be placed.
    """
    found: dict[str, Read] = {}
    skipped: list[Skipped] = []
    for given, read in files:
        plain = tidy(composed(given))
        if _is_hidden(plain):
            continue
        if not plain:
            skipped.append(Skipped(printable(given) or "(no name)", f"it has no name in {what}"))
        elif not _is_inside(plain):
            skipped.append(Skipped(printable(given), f"its path leads out of {what}"))
        elif plain in found:
            skipped.append(Skipped(printable(plain), SAME_NAME))
        else:
            found[plain] = read
    if skipped and not found:
        why = f"“{skipped[0].name}”: {skipped[0].reason}"
        raise BadInput(f"{name} has no file that can be used ({why}); give paths that stay below its top.")
    return Tree(name, found, tuple(skipped), codec)


def tidy(path: str) -> str:
    """`./a`, `a//b`, `a/./b` and `a\\b` as `a/b` is written; a path that begins at the root still does."""
    slashed = path.replace("\\", "/")
    return "/" * slashed.startswith("/") + "/".join(part for part in slashed.split("/") if part not in ("", "."))


def _is_hidden(name: str) -> bool:
    """Whether it is what systems leave behind: dotfiles, `__MACOSX`, `Thumbs.db`, `Icon\\r`."""
    return any((part.startswith(".") and part.strip(".")) or part in LITTER for part in name.split("/"))


def _is_inside(name: str) -> bool:
    return not name.startswith("/") and not re.match(r"[A-Za-z]:", name) and ".." not in name.split("/")


def folder_tree(folder: Path, limits: TreeLimits) -> Tree:
    """The regular files below a folder; linked folders are not followed."""
    files: list[tuple[str, Read]] = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            if not _is_hidden(relative) and _is_regular(path):
                files.append((relative, _FolderFile(path, limits.file_bytes).read))
        if len(files) > limits.files:
            raise BadInput(f"{printable(folder.name)} holds more than {limits.files:,} files; give a smaller folder.")
    return tree_of(printable(folder.name), *_recognised(files), "the folder")


def _recognised(files: list[tuple[str, Read]]) -> tuple[list[tuple[str, Read]], str]:
    """The files with names that are no UTF-8 recognised, where they can be; and the codec."""
    odd = [number for number, (name, _read) in enumerate(files) if not name.isprintable() and _is_escaped(name)]
    try:
        codec, names = decoded([os.fsencode(files[number][0]) for number in odd], "")
    except BadInput:  # they keep their bytes: a file is called after what is readable, a class is refused
        return files, "utf-8"
    for number, name in zip(odd, names, strict=True):
        files[number] = (name, files[number][1])
    return files, codec if odd else "utf-8"


def _is_escaped(name: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in name)


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
                return within(file.read(self.most + 1), self.most)
        except OSError as error:
            raise BadInput(f"it cannot be read ({(error.strerror or 'error').lower()})") from error
        except MemoryError:
            raise BadInput("it takes more memory than there is") from None


def within(content: bytes, most: int) -> bytes:
    if len(content) > most:
        raise BadInput(f"it is larger than {most >> 20} MB")
    return content
