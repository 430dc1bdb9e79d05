"""A generated sample of bicycles and motorcycles, for a first look without data and without a network."""

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from scones_core.errors import BadInput
from scones_core.sources.model import DEFAULT_CLASSES, Progress, Skipped, Source, SourceImage, check_classes
from scones_core.sources.naming import printable
from scones_core.sources.splitting import Aside, place, set_aside

PICTURES = Path(__file__).with_name("sample.zip")  # <split>/<class>/<file>.png, drawn by benchmarks/sample


def open_sample(classes: Sequence[str] | None, on_progress: Progress, aside: Aside) -> Source:
    """400 training and 100 test images, half of each class.

    aside : how many of each class's training images are pool. Raises BadInput.
    """
    chosen = check_classes(tuple(classes or DEFAULT_CLASSES))
    other = next((name for name in chosen if name not in DEFAULT_CLASSES), None)
    if other is not None:
        raise BadInput(
            f"The generated sample has bicycles and motorcycles only, not “{printable(other)}”; leave classes out."
        )
    with zipfile.ZipFile(PICTURES) as archive:
        names = archive.namelist()
    return Source("Generated sample", chosen, True, _items(names, aside, on_progress), len(names))


def _items(names: Sequence[str], aside: Aside, on_progress: Progress) -> Iterator[SourceImage | Skipped]:
    """Test, pool and train images; an image is the same whether it is in the pool or in train."""
    rest = [name for name in names if name.startswith("train/")]
    pool = set(set_aside(rest, aside, _label, lambda name: (place(name.encode()), name)))
    ordered = sorted(names, key=lambda name: (name in rest) + (name in rest and name not in pool))
    with zipfile.ZipFile(PICTURES) as archive:
        for done, name in enumerate(ordered):
            on_progress(done, len(names), "Loading images")
            split, _, file = name.split("/")
            yield SourceImage("pool" if name in pool else split, file, _label(name), archive.read(name))
    on_progress(len(names), len(names), "Loading images")


def _label(name: str) -> str:
    return name.split("/")[1]
