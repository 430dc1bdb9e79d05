"""Pictures labelled by `.lst` files: `train.lst` and `test.lst` beside `train/` and `test/`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scones_core.errors import BadInput
from scones_core.sources.lst_classes import named_classes, numbers
from scones_core.sources.model import Candidate, Pictures, Skipped
from scones_core.sources.naming import composed, printable
from scones_core.sources.split_names import last_role, role, splits_of, told
from scones_core.sources.tree import Tree, tidy

MOST_ROWS = 200_000


@dataclass(frozen=True)
class Row:
    """One line of a `.lst` file: where it stands ("train.lst row 7"), its class index, its file's name in the tree."""

    where: str
    split: str
    index: int
    file: str


@dataclass(frozen=True)
class _List:
    """A `.lst` file: its name, the split of its images, and the folders they may lie in, the likeliest first."""

    name: str
    split: str
    folders: tuple[str, ...]


def has_lst_files(tree: Tree) -> bool:
    return bool(_roles(tree))


def read_lst_files(tree: Tree, classes: Sequence[str] | None) -> tuple[tuple[str, ...], Pictures]:
    """The chosen classes and the pictures that the `.lst` files name. Raises BadInput where one is missing."""
    lists = _lists(tree)
    items = [item for one in lists for item in _rows(tree, one)]
    rows = [item for item in items if isinstance(item, Row)]
    if not rows:
        raise BadInput(f"The .lst files of {tree.name} have no row that names a picture; write them again.")
    listed = tuple(filter(None, map(str.strip, _lines(tree, "classes.txt")))) if "classes.txt" in tree.files else None
    names, chosen = named_classes(tree.name, [(row.index, row.file) for row in rows], listed, classes)
    skipped = [
        *told(_roles(tree)),
        *(item for item in items if isinstance(item, Skipped)),
        *(Skipped(printable(row.file), _out_of_range(row, names)) for row in rows if row.index not in names),
        *_unlisted(tree, lists, {row.file for row in rows}),
    ]
    kept = [row for row in rows if names.get(row.index) in chosen]
    return chosen, Pictures([Candidate(r.split, r.file, names[r.index], tree.files[r.file]) for r in kept], skipped)


def _roles(tree: Tree) -> dict[str, str]:
    """The `.lst` files beside the folders, by what their names say: "train.lst", "flowers_val.lst" …"""
    roots = [name for name in sorted(tree.files) if "/" not in name and name.lower().endswith(".lst")]
    return {name: found for name in roots if (found := last_role(name[: -len(".lst")]))}


def _lists(tree: Tree) -> list[_List]:
    """Raises BadInput where there is none for train or for test."""
    roles = _roles(tree)
    splits = splits_of(roles)
    missing = [split for split in ("test", "train") if split not in splits.values()]
    if missing:
        unlike = next((split for split in missing if split not in roles.values()), missing[0])
        raise BadInput(f"{tree.name} has no {unlike}.lst; add one, or give one folder per class.")
    tops = sorted({name.split("/", 1)[0] for name in tree.files if "/" in name})
    return [_List(name, split, _folders(tops, name, roles[name])) for name, split in splits.items() if split]


def _folders(tops: Sequence[str], name: str, called: str) -> tuple[str, ...]:
    """Those of the same role as a `.lst` file, the one that is called like it first."""
    alike = [top for top in tops if role(top) == called]
    return tuple(sorted(alike, key=lambda top: top.casefold() != name[: -len(".lst")].casefold()))


def _unlisted(tree: Tree, lists: Sequence[_List], labelled: set[str]) -> Iterator[Skipped]:
    by_folder = {folder: one.name for one in reversed(lists) for folder in one.folders}
    for folder in sorted({name.split("/", 1)[0] for name in tree.files if "/" in name}):
        if not role(folder):
            continue
        inside = [name for name in tree.pictures(f"{folder}/") if name not in labelled]
        known = by_folder.get(folder)
        reason = f"{printable(known)} has no row for it" if known else f"there is no {printable(folder)}.lst"
        yield from (Skipped(printable(name), reason) for name in inside)
        places = {name.rpartition("/")[0] for name in tree.pictures(f"{folder}/")}
        others = [name for name in tree.others(places) if name not in labelled]
        yield from (Skipped(printable(name), "it is not a PNG, JPEG or WebP file") for name in others)


def _out_of_range(row: Row, names: Mapping[int, str]) -> str:
    return f"{row.where} gives it class {row.index}, and there are classes {numbers(names)} only"


def _rows(tree: Tree, one: _List) -> Iterator[Row | Skipped]:
    """The rows of one `.lst` file; a second row for the same file, or one without a file, is skipped."""
    seen: dict[str, str] = {}
    for number, line in enumerate(_lines(tree, one.name), start=1):
        if not line.strip():
            continue
        where = f"{printable(one.name)} row {number}"
        fields = line.split("\t")
        index = _class_index(fields[1]) if len(fields) >= 3 else None
        if index is None:
            yield Skipped(where, "it is not a row number, a class index and a path, separated by tabs")
            continue
        path = tidy(fields[-1].strip())
        places = [*(f"{folder}/{path}" for folder in one.folders), path]
        file = next((name for name in places if name in tree.files), None)
        if file is None:
            yield Skipped(printable(path), f"{where} names it, and there is no such file")
        elif file in seen:
            yield Skipped(where, f"{printable(file)} is listed already, in {seen[file]}")
        else:
            seen[file] = where
            yield Row(where, one.split, index, file)


def _lines(tree: Tree, name: str) -> list[str]:
    """The lines of a text file, blank ones too, so that their numbers are those of an editor."""
    try:
        content = composed(_text(tree.files[name](), tree.codec))
    except (BadInput, UnicodeError) as error:
        raise BadInput(f"{printable(name)} of {tree.name} cannot be read as UTF-8 text; write it again.") from error
    lines = content.split("\n")
    if len(lines) > MOST_ROWS:
        raise BadInput(f"{printable(name)} of {tree.name} has more than {MOST_ROWS:,} rows; give a smaller one.")
    return lines


def _text(content: bytes, codec: str) -> str:
    """UTF-8, or as the file names beside it are written."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode(codec)


def _class_index(field: str) -> int | None:
    """`8`, or `8.000000` as the im2rec tool writes it."""
    match = re.fullmatch(r"\s*([+-]?\d{1,18})(\.0*)?\s*", field, re.ASCII)
    return int(match[1]) if match else None
