"""Names that come from files of others: made safe, unique and printable; and suggestions for those that are unknown."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from scones_core.errors import BadInput

LONGEST_NAME = 100
MOST_LISTED = 8


def composed(name: str) -> str:
    """`name` in Unicode's composed form (NFC): a Mac writes “ü” as “u” and two dots, other systems as one letter."""
    return unicodedata.normalize("NFC", name)


def printable(name: str) -> str:
    """`name` for a message: control characters replaced, at most 100 characters."""
    shown = "".join(character if character.isprintable() else "�" for character in name)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[: LONGEST_NAME - 1]}…"


class FileNames:
    """Gives out safe PNG file names, each once; `A.png` and `a.png` count as the same, as some file systems hold."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}  # by stem: the number to go on from, as every folder may hold a photo.jpg

    def give(self, original: str) -> str:
        """A name like the original's last part, with `.png`, and `-2`, `-3`, … where that is taken."""
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", PurePosixPath(original).stem).strip("._-")[:LONGEST_NAME] or "image"
        name, number = f"{stem}.png", self._last.get(stem.casefold(), 1)
        while name.casefold() in self._taken:
            number += 1
            name = f"{stem}-{number}.png"
        self._last[stem.casefold()] = number
        self._taken.add(name.casefold())
        return name


def choose(wanted: Sequence[str], available: Sequence[str], where: str) -> tuple[str, ...]:
    """The wanted classes as the source spells them, in the order given. Raises BadInput with close suggestions."""
    spelled = {_folded(name): name for name in available}
    chosen = []
    for name in wanted:
        if name in available:
            chosen.append(name)
        elif _folded(name) in spelled:
            chosen.append(spelled[_folded(name)])
        else:
            raise BadInput(f"{where} has no class “{printable(name)}”; {_suggestion(name, available)}")
    return tuple(chosen)


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", composed(name).strip()).casefold()


def _suggestion(name: str, available: Sequence[str]) -> str:
    if not available:
        return "it names none at all."
    close = difflib.get_close_matches(_folded(name), [_folded(other) for other in available], n=3, cutoff=0.6)
    shown = [other for folded in close for other in available if _folded(other) == folded]
    if shown:
        return f"did you mean {_listed(shown, 'or')}?"
    if len(available) > MOST_LISTED:
        first = ", ".join(f"“{printable(other)}”" for other in available[:MOST_LISTED])
        return f"it has {first} and {len(available) - MOST_LISTED} more."
    return f"it has {_listed(available, 'and')}."


def _listed(names: Iterable[str], last: str) -> str:
    quoted = [f"“{printable(name)}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"
