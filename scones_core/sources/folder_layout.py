"""Pictures labelled by the folder they lie in: `<class>/…`, or `train/<class>/…` and `test/<class>/…`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from scones_core.errors import BadInput
from scones_core.sources.model import Candidate, Pictures, Skipped, check_classes
from scones_core.sources.naming import choose, printable
from scones_core.sources.split_names import are_splits, role, splits_of, told
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
    placed = _placed(tree)
    available = tuple(sorted({picture.label for picture in placed}))
    if not available:
        raise BadInput(f"{tree.name} has neither .lst files nor one folder of pictures per class; arrange it so.")
    chosen = check_classes(choose(classes or available, available, tree.name))
    roles = {picture.above: found for picture in placed if picture.above and (found := role(picture.above))}
    splits = splits_of(roles)
    candidates = [
        Candidate(splits.get(picture.above or ""), picture.file, picture.label, tree.files[picture.file])
        for picture in placed
        if picture.label in chosen
    ]
    return chosen, Pictures(candidates, (*told(roles), *_left_out(tree, placed)))


def _placed(tree: Tree) -> list[Placed]:
    """Pictures with the class folder they lie in; a class folder may have folders of its own."""
    paths = {name: name.split("/")[:-1] for name in tree.pictures()}
    inside = {name: folders for name, folders in paths.items() if folders}
    if are_splits({folders[0] for folders in inside.values()}):
        return [Placed(n, f[0], f[1]) for n, f in inside.items() if len(f) > 1 and role(f[0])]
    if all(len(folders) > 1 for folders in inside.values()) and _divide_classes({f[1] for f in inside.values()}):
        return [Placed(n, f[1], f[0]) for n, f in inside.items()]
    return [Placed(name, None, folders[0]) for name, folders in inside.items()]


def _divide_classes(names: set[str]) -> bool:
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
