"""Pictures labelled by the folder they lie in: `<class>/…`, or `train/<class>/…` and `test/<class>/…`."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import PurePosixPath

from scones_core.errors import BadInput
from scones_core.sources.model import Candidate, Pictures, Skipped, check_classes
from scones_core.sources.naming import choose, printable
from scones_core.sources.split_names import (
    are_splits,
    is_doubled,
    may_be_split,
    role,
    split_folders,
    splits_of,
    told,
)
from scones_core.sources.tree import Tree

OTHER_PICTURES = frozenset(
    {".gif", ".bmp", ".dib", ".tif", ".tiff", ".heic", ".heif", ".hif", ".avif", ".svg", ".ppm", ".pgm", ".pbm", ".pnm"}
    | {".jp2", ".j2k", ".jpx", ".jxl", ".jxr", ".ico", ".tga", ".psd", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raw"}
)
NO_PICTURE = "it is not a PNG, JPEG or WebP file"


@dataclass(frozen=True)
class Placed:
    """A picture in a class folder. above: the folder of its split; None where no folder is called as a split is."""

    file: str
    above: str | None
    label: str


def read_class_folders(tree: Tree, classes: Sequence[str] | None) -> tuple[tuple[str, ...], Pictures]:
    """The chosen classes (default: all folders, sorted) and their pictures. Raises BadInput where no folder has any."""
    placed, roles = _placed(tree)
    available = tuple(sorted({picture.label for picture in placed}))
    if not available:
        raise BadInput(f"{tree.name} has neither .lst files nor one folder of pictures per class; arrange it so.")
    chosen = check_classes(choose(classes or available, available, tree.name))
    roles = {picture.above: roles[picture.above] for picture in placed if picture.above}
    splits = splits_of(roles)
    candidates = [
        Candidate(splits.get(picture.above or ""), picture.file, picture.label, tree.files[picture.file])
        for picture in placed
        if picture.label in chosen
    ]
    return chosen, Pictures(candidates, (*told(roles), *_left_out(tree, placed)))


def _placed(tree: Tree) -> tuple[list[Placed], dict[str, str]]:
    """Pictures with the class folder they lie in, and the roles of the folders above.

    A class folder may have folders of its own. Raises BadInput where a folder may be a split as well as a class.
    """
    paths = {name: name.split("/")[:-1] for name in tree.pictures()}
    inside = _without_doubled({name: folders for name, folders in paths.items() if folders})
    roles = _top_roles({folders[0] for folders in inside.values()})
    seconds = {folders[1] if len(folders) > 1 else "" for folders in inside.values()}
    if not roles and _divide_classes(seconds):
        placed = [Placed(name, folders[1], folders[0]) for name, folders in inside.items()]
        return placed, {name: found for name in seconds if (found := role(name))}
    roles = roles or _told_by_words(inside, tree.name)
    if roles:
        deep = {name: folders for name, folders in inside.items() if len(folders) > 1 and folders[0] in roles}
        return [Placed(name, folders[0], folders[1]) for name, folders in deep.items()], roles
    return [Placed(name, None, folders[0]) for name, folders in inside.items()], {}


def _without_doubled(inside: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The folders of each picture, with `seg_train/seg_train/…` as `seg_train/…`."""
    seconds: dict[str, set[str]] = {}
    for folders in inside.values():
        seconds.setdefault(folders[0], set()).add(folders[1] if len(folders) > 2 else "")
    doubled = {top for top, inner in seconds.items() if len(inner) == 1 and is_doubled(top, *inner)}
    return {name: [f[0], *f[2:]] if f[0] in doubled else f for name, f in inside.items()}


def _top_roles(tops: Set[str]) -> dict[str, str]:
    return {top: found for top in tops if (found := role(top))} if are_splits(tops) else {}


def _told_by_words(inside: Mapping[str, list[str]], where: str) -> dict[str, str]:
    """The roles of folders called as `seg_train`; none where all are classes. Raises BadInput where that is open."""
    folders = _class_folders(inside)
    roles = split_folders(folders)
    for name, inner in sorted(folders.items()):
        others = sorted(folders.keys() - {name}, key=lambda other: (other in roles, may_be_split(other), other))
        if inner and others and name not in roles and may_be_split(name):
            raise BadInput(
                f"{where} has “{printable(name)}” beside “{printable(others[0])}”, and does not say whether they are "
                "splits or classes: call splits train, test, val or pool, take away what is neither, or put the "
                "pictures of a class directly into its folder."
            )
    return roles


def _class_folders(inside: Mapping[str, list[str]]) -> dict[str, set[str]]:
    """For each folder the folders in it, where they are two or more and hold most of its pictures; else none."""
    found: dict[str, list[str]] = {}
    for folders in inside.values():
        found.setdefault(folders[0], []).append(folders[1] if len(folders) > 1 else "")
    return {top: set(inner) - {""} if _is_of_folders(inner) else set() for top, inner in found.items()}


def _is_of_folders(inner: Sequence[str]) -> bool:
    return len(set(inner) - {""}) > 1 and inner.count("") < len(inner) / 2


def _divide_classes(names: Set[str]) -> bool:
    """Whether the folders within every class are splits, as in `bicycle/train/…`."""
    return are_splits(names) and all(role(name) for name in names)


def _left_out(tree: Tree, placed: Sequence[Placed]) -> Iterator[Skipped]:
    taken = {picture.file for picture in placed}
    others = set(tree.others({name.rpartition("/")[0] for name in taken}))
    others |= {name for name in tree.files if PurePosixPath(name).suffix.lower() in OTHER_PICTURES}
    for name in sorted(others):
        yield Skipped(printable(name), NO_PICTURE)
    for name in tree.pictures():
        if name not in taken:
            yield Skipped(printable(name), "it lies in no class folder")
