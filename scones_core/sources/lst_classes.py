"""What the class numbers of `.lst` files are called."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

from scones_core.errors import BadInput
from scones_core.sources.cifar100_classes import CLASSES
from scones_core.sources.model import DEFAULT_CLASSES, check_classes
from scones_core.sources.naming import choose

# How CIFAR-100 names its files; each name begins with the WordNet word the picture was searched by.
BICYCLE_FILE = re.compile(r"((ordinary|safety|mountain|off-road|push)_)?(bicycle|bike|cycle|wheel)_|velocipede_")
MOTORCYCLE_FILE = re.compile(r"(motor|mini|dirt_|trail_)(bike|cycle)_|moped_|bike_")
TWO_WHEELERS = dict(zip(DEFAULT_CLASSES, (BICYCLE_FILE, MOTORCYCLE_FILE), strict=True))
MOST_LISTED = 8

Numbered = Sequence[tuple[int, str]]
"""Class numbers with the files that have them."""

Named = tuple[dict[int, str], tuple[str, ...]]
"""The name of every class number, and the chosen names in the order wanted."""


def named_classes(where: str, rows: Numbered, listed: Sequence[str] | None, wanted: Sequence[str] | None) -> Named:
    """Names from `classes.txt` (listed), from CIFAR-100 where the files are its, from the user, or by number.

    Raises BadInput where the names wanted do not fit.
    """
    if listed is not None:
        return _chosen(dict(enumerate(listed)), wanted, where)
    known = _from_cifar100(rows)
    if known and (not wanted or set(wanted) <= set(known.values())):
        return _chosen(known, wanted, where)
    found = sorted({number for number, _file in rows})
    if wanted:
        return _given(found, wanted, where)
    return _chosen({number: f"class {number}" for number in found}, None, where)


def numbers(names: Collection[int] | Mapping[int, str]) -> str:
    """ "0 to 9", or "8 and 48" where some are missing in between."""
    found = sorted(names)
    if len(found) == found[-1] - found[0] + 1 or len(found) > MOST_LISTED:
        return f"{found[0]} to {found[-1]}"
    return f"{', '.join(map(str, found[:-1]))} and {found[-1]}"


def _chosen(names: dict[int, str], wanted: Sequence[str] | None, where: str) -> Named:
    available = tuple(names.values())
    return names, check_classes(choose(wanted or available, available, where))


def _given(found: Sequence[int], wanted: Sequence[str], where: str) -> Named:
    """The user's names: by number where there is one for each from 0, else one for each number that occurs."""
    if set(wanted) <= {f"class {number}" for number in found}:
        return _chosen({number: f"class {number}" for number in found}, wanted, where)
    if found[0] >= 0 and found[-1] < len(wanted):
        return dict(enumerate(wanted)), check_classes(tuple(wanted))
    if len(found) == len(wanted):
        return dict(zip(found, wanted, strict=True)), check_classes(tuple(wanted))
    raise BadInput(f"{where} has the class numbers {numbers(found)}; name as many classes, in their order.")


def _from_cifar100(rows: Numbered) -> dict[int, str]:
    """Bicycles and motorcycles as 0 and 1, or any of the 100 classes under their own numbers; else nothing."""
    files: dict[int, list[str]] = {}
    for number, file in rows:
        files.setdefault(number, []).append(PurePosixPath(file).name)
    if all(_fit(name, files.get(number, [])) for number, name in enumerate(DEFAULT_CLASSES)):
        return dict(enumerate(DEFAULT_CLASSES))
    own = {number: CLASSES[number] for number in sorted(files) if 0 <= number < len(CLASSES)}
    if len(own) == len(files) > 1 and all(_fit(name, files[number]) for number, name in own.items()):
        return own
    return {}


def _fit(name: str, files: Sequence[str]) -> bool:
    """Whether most of the files are called as CIFAR-100 calls those of the class."""
    pattern = TWO_WHEELERS.get(name) or re.compile(rf"([a-z-]+_)*{name}_s_\d{{6}}\b")
    return sum(bool(pattern.match(file)) for file in files) > len(files) / 2
