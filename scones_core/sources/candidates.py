"""From what a source lists to what it yields: every picture verified, made PNG and named."""

import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from scones_core.errors import BadImage, BadInput
from scones_core.sources.model import Candidate, Pictures, Progress, Skipped, SourceImage
from scones_core.sources.naming import FileNames, printable
from scones_core.sources.splitting import Aside, divided
from scones_core.vision.copies import DIMENSIONS, Fingerprints, are_alike, find_copies, fingerprint
from scones_core.vision.images import decode

LARGEST_PNG_KEPT = 1 << 20
LONGEST_SIDE = 512
SPLITS = ("test", "pool", "train")  # a picture that stands in two is kept in the first


def checked(
    pictures: Pictures, classes: Sequence[str], what: str, aside: Aside | None, on_progress: Progress
) -> Iterator[SourceImage | Skipped]:
    """Yield images, in the order of SPLITS, and what is skipped. Raises BadInput at the end where a class is bare.

    aside: how many of each class's train images become pool.
    """
    yield from (replace(skip, name=printable(skip.name)) for skip in pictures.skipped)
    found: Counter[tuple[str, str]] = Counter()
    intake = _Intake()
    candidates = sorted(divided(pictures.candidates, aside, on_progress), key=_order)
    for done, candidate in enumerate(candidates):
        on_progress(done, len(candidates), "Reading images")
        item = intake.take(candidate)
        if isinstance(item, SourceImage):
            found[item.split, item.label] += 1
        yield item
    on_progress(len(candidates), len(candidates), "Reading images")
    if candidates and len(intake.unread) == len(candidates):
        first = intake.unread[0]
        why = f"“{first.name}”: {first.reason}"
        raise BadInput(f"{what} has no usable image ({why}); give PNG, JPEG or WebP pictures that can be read.")
    _require_every_class(found, classes, what)


def _order(candidate: Candidate) -> int:
    return SPLITS.index(candidate.split or "train")


def _require_every_class(found: Counter[tuple[str, str]], classes: Sequence[str], what: str) -> None:
    if not found:
        raise BadInput(f"{what} has no usable image; give PNG, JPEG or WebP pictures.")
    for label in classes:
        for split in ("train", "test"):
            if not found[split, label]:
                raise BadInput(f"{what} has no usable {split} image of the class “{printable(label)}”; add some.")


class _Intake:
    """Remembers names and contents of what it took: names stay unique, no picture stands in two splits or classes.

    unread: what could not even be read, whatever it is a picture of.
    """

    def __init__(self) -> None:
        self.unread: list[Skipped] = []
        self._names = {split: FileNames() for split in SPLITS}
        self._seen: dict[bytes, Candidate] = {}
        self._tests = _TestPictures()

    def take(self, candidate: Candidate) -> SourceImage | Skipped:
        """The image, or why it is left out. Images must come in the order of SPLITS."""
        split = candidate.split or "train"
        try:
            data = candidate.read()
        except BadInput as error:
            self.unread.append(Skipped(printable(candidate.name), str(error)))
            return self.unread[-1]
        try:
            picture = decode(data)
        except BadImage as error:
            return Skipped(printable(candidate.name), str(error))
        kept = self._seen.setdefault(_content_digest(picture), replace(candidate, split=split))
        reason = self._seen_before(kept, candidate, split) or self._tests.copied(split, candidate.name, picture)
        if reason:
            return Skipped(printable(candidate.name), reason)
        return SourceImage(split, self._names[split].give(candidate.name), candidate.label, as_png(data, picture))

    def _seen_before(self, kept: Candidate, candidate: Candidate, split: str) -> str | None:
        if kept.split != split:
            return f"the same picture is in the {kept.split} split ({printable(kept.name)}) and is kept there"
        if kept.label != candidate.label:
            return (
                f"the same picture is labelled “{printable(kept.label)}” as {printable(kept.name)}, and "
                f"“{printable(candidate.label)}” here; keep the right one"
            )
        return None


class _TestPictures:
    """The fingerprints of the test pictures: a copy of one that was saved again must not be trained on."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._prints: list[Fingerprints] = []
        self._known: Fingerprints | None = None

    def copied(self, split: str, name: str, picture: Image.Image) -> str | None:
        """Why a picture of another split cannot be used, or None. Test pictures must come first."""
        if split == "test":
            self._names.append(name)
            self._prints.append(fingerprint(picture))
            return None
        if self._known is None:
            self._known = np.stack(self._prints) if self._prints else np.zeros((0, DIMENSIONS), dtype=np.float32)
            if are_alike(self._known):  # likeness tells nothing there
                self._known = self._known[:0]
        if not len(self._known):
            return None
        [place] = find_copies(fingerprint(picture)[np.newaxis], self._known)
        return f"it is a copy of the test picture {printable(self._names[place])}" if place >= 0 else None


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
