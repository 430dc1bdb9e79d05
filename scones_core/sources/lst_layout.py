"""Pictures labelled by `.lst` files: `train.lst` and `test.lst` beside `train/` and `test/`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from scones_core.errors import BadInput
from scones_core.sources.model import DEFAULT_CLASSES, MOST_CLASSES, Candidate, Pictures, Skipped, check_classes
from scones_core.sources.naming import choose, printable
from scones_core.sources.tree import Tree

REQUIRED = ("test", "train")
SPLITS = (*REQUIRED, "pool")
# How CIFAR-100 names its files; each name begins with the WordNet word the picture was searched by.
BICYCLE_FILE = re.compile(r"((ordinary|safety|mountain|off-road|push)_)?(bicycle|bike|cycle|wheel)_|velocipede_")
MOTORCYCLE_FILE = re.compile(r"(motor|mini|dirt_|trail_)(bike|cycle)_|moped_|bike_")
MOST_ROWS = 200_000


@dataclass(frozen=True)
class Row:
    """One line of a `.lst` file: where it stands ("train.lst row 7"), its class index, its file's name in the tree."""

    where: str
    split: str
    index: int
    file: str


def has_lst_files(tree: Tree) -> bool:
    return any(f"{split}.lst" in tree.files for split in SPLITS)


def read_lst_files(tree: Tree, classes: Sequence[str] | None) -> tuple[tuple[str, ...], Pictures]:
    """The chosen classes and the pictures that the `.lst` files name. Raises BadInput where one is missing."""
    missing = [split for split in REQUIRED if f"{split}.lst" not in tree.files]
    if missing:
        raise BadInput(f"{tree.name} has no {missing[0]}.lst; add one, or give one folder per class.")
    items = [item for split in SPLITS if f"{split}.lst" in tree.files for item in _rows(tree, split)]
    rows = [item for item in items if isinstance(item, Row)]
    if not rows:
        raise BadInput(f"The .lst files of {tree.name} have no row that names a picture; write them again.")
    names, chosen = _named_classes(tree, rows, classes)
    skipped = [
        *(item for item in items if isinstance(item, Skipped)),
        *(Skipped(printable(row.file), _out_of_range(row, names)) for row in rows if row.index not in names),
        *_unlisted(tree, rows),
    ]
    kept = [row for row in rows if names.get(row.index) in chosen]
    return chosen, Pictures([Candidate(r.split, r.file, names[r.index], tree.files[r.file]) for r in kept], skipped)


def _unlisted(tree: Tree, rows: Sequence[Row]) -> Iterator[Skipped]:
    labelled = {row.file for row in rows}
    for split in SPLITS:
        for name in tree.pictures(f"{split}/"):
            if name not in labelled:
                yield Skipped(printable(name), f"{split}.lst has no row for it")


def _out_of_range(row: Row, names: dict[int, str]) -> str:
    return f"{row.where} gives it class {row.index}, and there are classes {min(names)} to {max(names)} only"


def _rows(tree: Tree, split: str) -> Iterator[Row | Skipped]:
    """The rows of one `.lst` file; a second row for the same file, or one without a file, is skipped."""
    seen: dict[str, str] = {}
    for number, line in enumerate(_lines(tree, f"{split}.lst"), start=1):
        if not line.strip():
            continue
        where = f"{split}.lst row {number}"
        fields = line.split("\t")
        index = _class_index(fields[1]) if len(fields) >= 3 else None
        if index is None:
            yield Skipped(where, "it is not a row number, a class index and a path, separated by tabs")
            continue
        path = fields[-1].strip().replace("\\", "/").removeprefix("./")
        file = next((name for name in (f"{split}/{path}", path) if name in tree.files), None)
        if file is None:
            yield Skipped(printable(path), f"{where} names it, and there is no such file")
        elif file in seen:
            yield Skipped(where, f"{printable(file)} is listed already, in {seen[file]}")
        else:
            seen[file] = where
            yield Row(where, split, index, file)


def _lines(tree: Tree, name: str) -> list[str]:
    """The lines of a text file, blank ones too, so that their numbers are those of an editor."""
    try:
        content = tree.files[name]().decode("utf-8-sig")
    except (BadInput, UnicodeDecodeError) as error:
        raise BadInput(f"{name} of {tree.name} cannot be read as UTF-8 text; write it again.") from error
    lines = content.split("\n")
    if len(lines) > MOST_ROWS:
        raise BadInput(f"{name} of {tree.name} has more than {MOST_ROWS:,} rows; give a smaller one.")
    return lines


def _class_index(field: str) -> int | None:
    """`8`, or `8.000000` as the im2rec tool writes it."""
    match = re.fullmatch(r"\s*(-?\d{1,9})(\.0*)?\s*", field)
    return int(match[1]) if match else None


def _named_classes(
    tree: Tree, rows: Sequence[Row], classes: Sequence[str] | None
) -> tuple[dict[int, str], tuple[str, ...]]:
    """The name of every class index, and the chosen names in the order wanted."""
    if "classes.txt" in tree.files:
        names = dict(enumerate(filter(None, (line.strip() for line in _lines(tree, "classes.txt")))))
        return names, check_classes(choose(classes or tuple(names.values()), tuple(names.values()), tree.name))
    if _are_two_wheelers(rows):
        names = dict(enumerate(DEFAULT_CLASSES))
        if not classes or set(classes) <= set(DEFAULT_CLASSES):
            return names, check_classes(tuple(classes or DEFAULT_CLASSES))
    if classes:
        return dict(enumerate(classes)), check_classes(tuple(classes))
    names = {index: f"class {index}" for index in sorted({row.index for row in rows if 0 <= row.index < MOST_CLASSES})}
    return names, check_classes(tuple(names.values()))


def _are_two_wheelers(rows: Sequence[Row]) -> bool:
    """Whether most files of class 0 are called as CIFAR-100's bicycles are, and most of class 1 as its motorcycles."""
    return all(
        sum(bool(pattern.match(PurePosixPath(row.file).name)) for row in rows if row.index == index)
        > sum(row.index == index for row in rows) / 2
        for index, pattern in enumerate((BICYCLE_FILE, MOTORCYCLE_FILE))
    )
