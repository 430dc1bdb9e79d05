"""CIFAR-100 as it was published: three pickles in a tar archive, or in the folder it unpacks to.

Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images; format: https://www.cs.toronto.edu/~kriz/cifar.html
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scones_core.errors import BadInput
from scones_core.sources.cifar100_classes import CLASSES
from scones_core.sources.cifar100_members import Members
from scones_core.sources.model import DEFAULT_CLASSES, Candidate, Download, Pictures, Progress, Skipped, check_classes
from scones_core.sources.naming import choose
from scones_core.sources.unpickling import Limits, Rows, read_class_names, read_rows

PUBLISHED = Download("https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85")


def chosen_classes(classes: Sequence[str] | None, available: Sequence[str] = CLASSES) -> tuple[str, ...]:
    """The classes asked for (default: bicycle and motorcycle) as CIFAR-100 spells them, in the order given."""
    return check_classes(choose(classes or DEFAULT_CLASSES, available, "CIFAR-100"))


def read_cifar100(
    members: Members, classes: Sequence[str] | None, on_progress: Progress, limits: Limits | None = None
) -> tuple[tuple[str, ...], Pictures]:
    """The chosen classes, and their images of both splits. Raises BadInput for anything but CIFAR-100."""
    limits = limits or Limits()
    names = _class_names(members, limits)
    chosen = chosen_classes(classes, names)
    wanted = [names.index(name) for name in chosen]
    splits: dict[str, Rows] = {}
    for member in members.find(("train", "test")):
        on_progress(len(splits), 2, "Reading CIFAR-100")
        splits[member.name] = read_rows(member.chunks, member.title, limits, wanted=wanted, classes=len(names))
    missing = [split for split in ("train", "test") if split not in splits]
    if missing:
        raise BadInput(f"{members.title} is not a CIFAR-100 archive: it has no file “{missing[0]}”.")
    on_progress(2, 2, "Reading CIFAR-100")
    return chosen, Pictures(tuple(_candidates(splits, names)), tuple(_outside(splits)))


def _class_names(members: Members, limits: Limits) -> list[str]:
    for member in members.find(("meta",)):
        names = read_class_names(member.chunks, member.title, limits)
        if not names:
            raise BadInput(f"{member.title} names no class; give the archive as it was published.")
        if len(names) != len(set(names)):
            raise BadInput(f"{member.title} names a class twice; give the archive as it was published.")
        return names
    return list(CLASSES)


def _candidates(splits: dict[str, Rows], names: Sequence[str]) -> Iterator[Candidate]:
    for split in ("test", "train"):
        rows = splits[split]
        for image, label, name in zip(rows.images, rows.labels, rows.names, strict=True):
            yield Candidate(split, name, names[label], _Row(image).png)


def _outside(splits: dict[str, Rows]) -> Iterator[Skipped]:
    for rows in splits.values():
        for name, label in rows.outside:
            yield Skipped(name, f"its label {label} is no class of CIFAR-100")


@dataclass(frozen=True)
class _Row:
    """pixels: uint8, shape (3072,): 1,024 red, 1,024 green and 1,024 blue values, row by row."""

    pixels: NDArray[np.uint8]

    def png(self) -> bytes:
        picture = np.ascontiguousarray(self.pixels.reshape(3, 32, 32).transpose(1, 2, 0))
        written = io.BytesIO()
        Image.fromarray(picture).save(written, format="PNG")
        return written.getvalue()
