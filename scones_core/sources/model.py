"""What a source yields, whatever it is read from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from scones_core.errors import BadInput

DEFAULT_CLASSES = ("bicycle", "motorcycle")
LONGEST_CLASS = 60
FEWEST_CLASSES, MOST_CLASSES = 2, 20
MOST_IMAGES = 100_000

Progress = Callable[[int, int | None, str], None]
"""Called with (done, total or None, what is being done)."""


@dataclass(frozen=True)
class SourceImage:
    """One labelled image. name: a safe file name, unique in its split; data: a PNG.

    split: "train", "test" (sealed) or "pool" (to be sent through the workflow, reviewed, and then trained on).
    """

    split: str
    name: str
    label: str
    data: bytes


@dataclass(frozen=True)
class Skipped:
    """An image that cannot be used, and why, in words for the user."""

    name: str
    reason: str


@dataclass(frozen=True)
class Candidate:
    """A picture as listed. split: None where the source has no test split; read: its file's bytes, or BadInput."""

    split: str | None
    name: str
    label: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Pictures:
    """All that a source lists; skipped: what was ruled out by the listing alone."""

    candidates: Sequence[Candidate]
    skipped: Sequence[Skipped] = ()


@dataclass(frozen=True)
class Source:
    """An opened source. classes in class-index order; items can be iterated once; total: images to read, if known.

    Test images come first, then pool, then train: whatever stands in two splits is kept in the first of them.
    """

    description: str
    classes: tuple[str, ...]
    generated: bool
    items: Iterator[SourceImage | Skipped]
    total: int | None


@dataclass(frozen=True)
class Download:
    """A file to download. most_bytes: where to cut off; timeouts in seconds: to connect, and between pieces."""

    url: str
    md5: str
    most_bytes: int = 400_000_000
    timeouts: tuple[float, float] = (10, 30)
    attempts: int = 5

    @property
    def file_name(self) -> str:
        return self.url.rsplit("/", 1)[-1]

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or self.url


def no_progress(done: int, total: int | None, what: str) -> None:
    """The progress callback of a caller that wants none."""


def check_class(name: str) -> None:
    """Raises BadInput for what cannot be the name of a class."""
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_CLASS or set(name) & set("/\\"):
        raise BadInput(f"“{name[:LONGEST_CLASS]!a}” cannot be the name of a class; use a short word.")


def check_classes(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return `classes`. Raises BadInput unless they are 2 to 20 different names, short and without slashes."""
    for name in classes:
        check_class(name)
    repeated = sorted({name for name in classes if classes.count(name) > 1})
    if repeated:
        raise BadInput(f"The class “{repeated[0]}” is given twice; give every class once.")
    if len(classes) < FEWEST_CLASSES:
        found = f"only “{classes[0]}”" if classes else "none"
        raise BadInput(f"A classifier needs at least {FEWEST_CLASSES} classes, and there is {found}; give another.")
    if len(classes) > MOST_CLASSES:
        raise BadInput(f"{len(classes)} classes are too many; choose {FEWEST_CLASSES} to {MOST_CLASSES} of them.")
    return classes
