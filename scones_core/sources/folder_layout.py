"""Pictures labelled by the folder they lie in: `<class>/…`, or `train/<class>/…` and `test/<class>/…`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from scones_core.errors import BadInput
from scones_core.sources.model import Candidate, Pictures, Skipped, check_classes
from scones_core.sources.naming import choose, printable
from scones_core.sources.tree import Tree

REQUIRED = ("test", "train")
SPLITS = (*REQUIRED, "pool")
OTHER_PICTURES = frozenset({".gif", ".bmp", ".tif", ".tiff", ".heic", ".avif", ".svg"})


@dataclass(frozen=True)
class Placed:
    """A picture in a class folder. split: None where the folders above are not called train and test."""

    file: str
    split: str | None
    label: str


def read_class_folders(tree: Tree, classes: Sequence[str] | None) -> tuple[tuple[str, ...], Pictures]:
    """The chosen classes (default: all folders, sorted) and their pictures. Raises BadInput where no folder has any."""
    placed = list(_placed(tree))
    available = tuple(sorted({picture.label for picture in placed}))
    if not available:
        raise BadInput(f"{tree.name} has neither .lst files nor one folder of pictures per class; arrange it so.")
    chosen = check_classes(choose(classes or available, available, tree.name))
    splits = {picture.split for picture in placed}
    are_split = set(REQUIRED) <= splits
    return chosen, Pictures(
        [
            Candidate(
                picture.split if are_split or picture.split == "pool" else None,
                picture.file,
                picture.label,
                tree.files[picture.file],
            )
            for picture in placed
            if picture.label in chosen
        ],
        tuple(_left_out(tree, {picture.file for picture in placed})),
    )


def _placed(tree: Tree) -> Iterator[Placed]:
    """Pictures with the class folder they lie in; a class folder may have folders of its own."""
    pictures = tree.pictures()
    tops = {name.split("/", 1)[0] for name in pictures if "/" in name}
    in_splits = set(REQUIRED) <= tops or tops <= set(SPLITS)
    for name in pictures:
        folders = name.split("/")[:-1]
        if in_splits and len(folders) > 1 and folders[0] in SPLITS:
            yield Placed(name, folders[0], folders[1])
        elif folders and not in_splits:
            yield Placed(name, None, folders[0])


def _left_out(tree: Tree, placed: set[str]) -> Iterator[Skipped]:
    for name in sorted(tree.files):
        if PurePosixPath(name).suffix.lower() in OTHER_PICTURES:
            yield Skipped(printable(name), "it is not a PNG, JPEG or WebP file")
    for name in tree.pictures():
        if name not in placed:
            yield Skipped(printable(name), "it lies in no class folder")
