"""Labelled images of a folder with train/, train.lst, test/ and test.lst, which `--data` or SCONES_DATA names."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from scones_core.errors import BadInput
from scones_core.vision.channel import read_list

DATA = "../shared/data/two_wheelers"
CLASSES = ("bicycle", "motorcycle")


@dataclass(frozen=True)
class Images:
    files: list[bytes]
    labels: list[int]

    def take(self, rows: npt.NDArray[Any]) -> "Images":
        return Images([self.files[i] for i in rows], [self.labels[i] for i in rows])

    def __add__(self, other: "Images") -> "Images":
        return Images(self.files + other.files, self.labels + other.labels)


def load(split: str) -> Images:
    """The images of `train` or `test`, in the order of the list.  Raises BadInput."""
    folder = Path(os.environ.get("SCONES_DATA", DATA))
    with suppress(FileNotFoundError, NotADirectoryError):
        rows = read_list(folder / f"{split}.lst")
        return Images([(folder / split / name).read_bytes() for _, name in rows], [label for label, _ in rows])
    raise BadInput(
        "This benchmark needs a folder with train/, train.lst, test/ and test.lst: name it with --data or SCONES_DATA."
    )
