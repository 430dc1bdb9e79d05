"""Draws the pictures of the generated sample, which the product ships: bicycles and motorcycles, 32 × 32 RGB.

`python -m benchmarks.sample` draws them anew into scones_core/sources/sample.zip, the same from the same code.
"""

import random

from PIL import Image, ImageDraw

from benchmarks.sample.drawing import Pen, Placement
from benchmarks.sample.scenery import background, foreground, take
from benchmarks.sample.vehicles import draw_bicycle, draw_motorcycle, draw_rider

__all__ = ["picture"]

SIDE, FINENESS = 32, 6


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
