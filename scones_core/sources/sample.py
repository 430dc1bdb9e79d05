"""A generated sample of bicycles and motorcycles, for a first look without data and without a network."""

import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw

from scones_core.errors import BadInput
from scones_core.sources.drawing import Pen, Placement
from scones_core.sources.model import (
    DEFAULT_CLASSES,
    Progress,
    Skipped,
    Source,
    SourceImage,
    check_classes,
)
from scones_core.sources.naming import printable
from scones_core.sources.sample_scenery import background, foreground, take
from scones_core.sources.sample_vehicles import draw_bicycle, draw_motorcycle, draw_rider
from scones_core.sources.splitting import STREAM_SHARE, place, set_aside

TRAIN_IMAGES, TEST_IMAGES = 400, 100
SIDE, FINENESS = 32, 6


def open_sample(
    classes: Sequence[str] | None,
    seed: int,
    on_progress: Progress,
    *,
    train: int = TRAIN_IMAGES,
    test: int = TEST_IMAGES,
    pool_share: float = STREAM_SHARE,
) -> Source:
    """A source of `train` + `test` generated images, half of them of each class; the same seed draws the same.

    pool_share: of the train images of each class, which are pool.
    """
    chosen = check_classes(tuple(classes or DEFAULT_CLASSES))
    other = next((name for name in chosen if name not in DEFAULT_CLASSES), None)
    if other is not None:
        raise BadInput(
            f"The generated sample has bicycles and motorcycles only, not “{printable(other)}”; leave classes out."
        )
    drawings = _drawings(seed, train, test, pool_share)
    return Source(f"Generated sample (seed {seed})", chosen, True, _items(drawings, on_progress), train + test)


@dataclass(frozen=True)
class _Drawing:
    """One image to draw. key: what its random numbers follow from."""

    split: str
    label: str
    name: str
    key: str


def _drawings(seed: int, train: int, test: int, pool_share: float) -> list[_Drawing]:
    """Test, pool and train images; an image looks the same whether it is in the pool or in train."""
    sealed = [_drawing("test", number, number, seed) for number in range(test)]
    rest = [_drawing("train", number, test + number, seed) for number in range(train)]
    pool = set(set_aside(rest, pool_share, lambda one: one.label, lambda one: (place(one.key.encode()), one.name)))
    aside = [replace(one, split="pool") for one in rest if one in pool]
    return [*sealed, *aside, *(one for one in rest if one not in pool)]


def _drawing(split: str, number: int, place_in_all: int, seed: int) -> _Drawing:
    label = DEFAULT_CLASSES[number % len(DEFAULT_CLASSES)]
    return _Drawing(split, label, f"{label}_g_{place_in_all:06}.png", f"{seed}/{split}/{number}")


def _items(drawings: Sequence[_Drawing], on_progress: Progress) -> Iterator[SourceImage | Skipped]:
    for done, one in enumerate(drawings):
        on_progress(done, len(drawings), "Drawing images")
        yield SourceImage(one.split, one.name, one.label, _png(picture(one.label, random.Random(one.key))))
    on_progress(len(drawings), len(drawings), "Drawing images")


def _png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, format="PNG")
    return written.getvalue()


def picture(label: str, rng: random.Random) -> Image.Image:
    """One picture of a bicycle or a motorcycle, 32 × 32 RGB."""
    size = SIDE * FINENESS
    is_bicycle = label == "bicycle"
    ridden = rng.random() < (0.15 if is_bicycle else 0.25)
    canvas = background(rng, size)
    draw = ImageDraw.Draw(canvas)
    pen = Pen(draw, _placement(rng, size, ridden=ridden))
    _shadow(pen, rng)
    (draw_bicycle if is_bicycle else draw_motorcycle)(pen, rng)
    if ridden:
        draw_rider(pen, rng, upright=0.14 if is_bicycle else 0.0)
    if rng.random() < 0.15:
        foreground(draw, rng, size)
    return take(canvas, rng, SIDE)


def _placement(rng: random.Random, size: int, *, ridden: bool) -> Placement:
    """Somewhere near the middle; with a rider lower and smaller, so that the head is in the picture."""
    distant = rng.random() < 0.14
    wheelbase = size * (rng.uniform(0.25, 0.36) if distant else rng.uniform(0.42, 0.58))
    return Placement(
        centre=(size * rng.uniform(0.42, 0.58), size * rng.uniform(0.48, 0.62) + (size * 0.1 if ridden else 0)),
        wheelbase=wheelbase * (0.85 if ridden else 1),
        squeeze=rng.uniform(0.35, 0.7) if rng.random() < 0.25 else rng.uniform(0.8, 1.08),
        turn=rng.gauss(0, 0.09),
        faces_left=rng.random() < 0.5,
        lean=rng.gauss(0, 0.06),
    )


def _shadow(pen: Pen, rng: random.Random) -> None:
    if rng.random() < 0.5:
        dark = rng.randint(40, 150)
        pen.disc((0.5, -0.38), 0.75, (dark, dark, dark), flatten=0.08)
