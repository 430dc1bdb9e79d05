"""From what a source lists to what it yields: every picture verified, made PNG and named."""

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from scones_core.errors import BadInput
from scones_core.sources.model import Progress, Skipped, SourceImage
from scones_core.sources.naming import FileNames, printable
from scones_core.vision.images import decode

LARGEST_PNG_KEPT = 1 << 20
LONGEST_SIDE = 512
TEST_SHARE = 1 / 6


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


def checked(
    pictures: Pictures, classes: Sequence[str], what: str, on_progress: Progress
) -> Iterator[SourceImage | Skipped]:
    """Yield images, test first, and what is skipped. Raises BadInput at the end where a class is bare."""
    yield from (replace(skip, name=printable(skip.name)) for skip in pictures.skipped)
    found: Counter[tuple[str, str]] = Counter()
    intake = _Intake()
    candidates = sorted(with_split(pictures.candidates, on_progress), key=lambda candidate: candidate.split != "test")
    for done, candidate in enumerate(candidates):
        on_progress(done, len(candidates), "Reading images")
        item = intake.take(candidate)
        if isinstance(item, SourceImage):
            found[item.split, item.label] += 1
        yield item
    on_progress(len(candidates), len(candidates), "Reading images")
    _require_every_class(found, classes, what)


def _require_every_class(found: Counter[tuple[str, str]], classes: Sequence[str], what: str) -> None:
    if not found:
        raise BadInput(f"{what} has no usable image; give PNG, JPEG or WebP pictures.")
    for label in classes:
        for split in ("train", "test"):
            if not found[split, label]:
                raise BadInput(f"{what} has no usable {split} image of the class “{printable(label)}”; add some.")


class _Intake:
    """Remembers names and contents of what it took, so that names stay unique and no picture stands in both splits."""

    def __init__(self) -> None:
        self._names = {"train": FileNames(), "test": FileNames()}
        self._tested: dict[bytes, str] = {}

    def take(self, candidate: Candidate) -> SourceImage | Skipped:
        """The image, or why it is left out. Test images must come before train images."""
        split = candidate.split or "train"
        try:
            data = candidate.read()
            picture = decode(data)
        except BadInput as error:
            return Skipped(printable(candidate.name), str(error))
        digest = _content_digest(picture)
        if split == "test":
            self._tested.setdefault(digest, candidate.name)
        elif digest in self._tested:
            reason = f"the same picture is in the test split ({printable(self._tested[digest])}) and is kept there"
            return Skipped(printable(candidate.name), reason)
        return SourceImage(split, self._names[split].give(candidate.name), candidate.label, as_png(data, picture))


def _content_digest(picture: Image.Image) -> bytes:
    return hashlib.sha256(repr(picture.size).encode() + picture.tobytes()).digest()[:16]


def as_png(data: bytes, picture: Image.Image) -> bytes:
    """The bytes as given where they are a PNG of reasonable size; else a PNG of at most 512 pixels a side."""
    if data.startswith(b"\x89PNG") and len(data) <= LARGEST_PNG_KEPT and max(picture.size) <= LONGEST_SIDE:
        return data
    smaller = picture.copy()
    smaller.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    smaller.save(written, format="PNG")
    return written.getvalue()


def with_split(candidates: Sequence[Candidate], on_progress: Progress) -> list[Candidate]:
    """Candidates with a split each; where the source gives none, by a hash of the content, about 1/6 test per class.

    A file falls on the same side whatever stands beside it, unless its class would be left without a test image.
    """
    settled = [candidate for candidate in candidates if candidate.split]
    by_label: dict[str, list[tuple[float, Candidate]]] = {}
    for done, candidate in enumerate(candidates):
        if not candidate.split:
            on_progress(done, len(candidates), "Dividing into train and test")
            by_label.setdefault(candidate.label, []).append((_place(candidate), candidate))
    for ranked in by_label.values():
        line = max(TEST_SHARE, min(place for place, _candidate in ranked))
        settled += [replace(candidate, split="test" if place <= line else "train") for place, candidate in ranked]
    return settled


def _place(candidate: Candidate) -> float:
    """Where in [0, 1) the content's hash falls; 1 for what cannot be read."""
    try:
        content = candidate.read()
    except BadInput:
        return 1.0
    return int.from_bytes(hashlib.sha256(content).digest()[:6], "big") / 2**48
