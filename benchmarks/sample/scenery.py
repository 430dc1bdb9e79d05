"""What stands behind and before a vehicle of the generated sample, and in what light it was taken."""

import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.sample.drawing import Colour, shade, tint


def background(rng: random.Random, size: int) -> Image.Image:
    """A canvas with a plain studio, a road, a meadow, or a wall."""
    kind = rng.choices((_studio, _road, _meadow, _wall), weights=(3, 3, 2, 2))[0]
    canvas = Image.new("RGB", (size, size))
    kind(ImageDraw.Draw(canvas), rng, size)
    return canvas


def _studio(draw: ImageDraw.ImageDraw, rng: random.Random, size: int) -> None:
    plain = tint(rng.random(), rng.uniform(0, 0.12), rng.uniform(0.78, 1.0))
    draw.rectangle([0, 0, size, size], fill=plain)
    draw.rectangle([0, size * rng.uniform(0.65, 1.0), size, size], fill=shade(plain, rng.uniform(0.85, 1.0)))


def _road(draw: ImageDraw.ImageDraw, rng: random.Random, size: int) -> None:
    horizon = size * rng.uniform(0.3, 0.65)
    _bands(draw, 0, horizon, size, tint(0.57, rng.uniform(0, 0.5), rng.uniform(0.6, 1.0)), rng.uniform(0.9, 1.2))
    for _house in range(rng.randint(0, 5)):
        left, high = rng.uniform(-0.1, 0.9) * size, rng.uniform(0.05, 0.35) * size
        wall = tint(rng.random(), rng.uniform(0, 0.35), rng.uniform(0.3, 0.85))
        draw.rectangle([left, horizon - high, left + rng.uniform(0.1, 0.35) * size, horizon], fill=wall)
    _bands(draw, horizon, size, size, tint(0.1, rng.uniform(0, 0.15), rng.uniform(0.3, 0.7)), rng.uniform(0.75, 1.1))
    if rng.random() < 0.4:
        y = rng.uniform(horizon, size)
        draw.line([0, y, size, y + rng.uniform(-0.1, 0.1) * size], fill=(215, 210, 190), width=size // 40)


def _meadow(draw: ImageDraw.ImageDraw, rng: random.Random, size: int) -> None:
    green = tint(rng.uniform(0.2, 0.38), rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.7))
    draw.rectangle([0, 0, size, size], fill=shade(green, rng.uniform(0.5, 1.4)))
    draw.rectangle([0, size * rng.uniform(0.4, 0.8), size, size], fill=green)
    for _leaf in range(rng.randint(15, 45)):
        x, y, wide = rng.uniform(0, size), rng.uniform(0, size), rng.uniform(0.02, 0.12) * size
        draw.ellipse([x - wide, y - wide / 2, x + wide, y + wide / 2], fill=shade(green, rng.uniform(0.55, 1.35)))


def _wall(draw: ImageDraw.ImageDraw, rng: random.Random, size: int) -> None:
    brick = tint(rng.uniform(0, 0.12), rng.uniform(0.05, 0.6), rng.uniform(0.35, 0.85))
    draw.rectangle([0, 0, size, size], fill=brick)
    step = rng.randint(size // 12, size // 5)
    for course in range(0, size, step):
        draw.line([0, course, size, course], fill=shade(brick, rng.uniform(0.7, 0.95)), width=size // 48)
    if rng.random() < 0.5:
        x, y = rng.uniform(0, 0.7) * size, rng.uniform(0, 0.4) * size
        draw.rectangle([x, y, x + size * 0.25, y + size * 0.35], fill=shade(brick, rng.uniform(0.3, 0.6)))
    draw.rectangle([0, size * rng.uniform(0.75, 0.95), size, size], fill=tint(0.1, 0.1, rng.uniform(0.3, 0.7)))


def _bands(draw: ImageDraw.ImageDraw, top: float, bottom: float, size: int, colour: Colour, end: float) -> None:
    for band in range(6):
        y = top + (bottom - top) * band / 6
        draw.rectangle([0, y, size, bottom], fill=shade(colour, 1 + (end - 1) * band / 5))


def foreground(draw: ImageDraw.ImageDraw, rng: random.Random, size: int) -> None:
    """Something that hides a part: a post, a bush, a box."""
    colour = tint(rng.random(), rng.uniform(0.1, 0.6), rng.uniform(0.15, 0.7))
    x = rng.uniform(0.1, 0.9) * size
    kind = rng.choice(("post", "bush", "box"))
    if kind == "post":
        draw.rectangle([x, 0, x + rng.uniform(0.04, 0.1) * size, size], fill=colour)
    elif kind == "box":
        draw.rectangle([x, rng.uniform(0.45, 0.7) * size, x + rng.uniform(0.2, 0.4) * size, size], fill=colour)
    else:
        for _leaf in range(25):
            left, top, wide = x + rng.gauss(0, 0.1) * size, rng.uniform(0.5, 1.0) * size, rng.uniform(0.02, 0.07) * size
            green = tint(rng.uniform(0.22, 0.36), 0.6, rng.uniform(0.2, 0.5))
            draw.ellipse([left - wide, top - wide, left + wide, top + wide], fill=green)


def take(canvas: Image.Image, rng: random.Random, side: int) -> Image.Image:
    """The canvas as a camera saw it: `side` pixels wide, in some light, with some blur and noise."""
    small = canvas.resize((side, side), Image.Resampling.BOX if rng.random() < 0.5 else Image.Resampling.LANCZOS)
    if rng.random() < 0.3:
        small = small.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.75)))
    pixels = np.asarray(small, dtype=np.float64) / 255
    return Image.fromarray(np.round(_lit(pixels, rng) * 255).astype(np.uint8))


def _lit(pixels: NDArray[np.float64], rng: random.Random) -> NDArray[np.float64]:
    """pixels: float64, shape (side, side, 3), 0 to 1; returns the same shape and range."""
    noise = np.random.default_rng(rng.getrandbits(64))
    side = pixels.shape[0]
    brightness = rng.uniform(0.4, 0.65) if rng.random() < 0.15 else rng.uniform(0.75, 1.15)
    contrast = rng.uniform(0.6, 1.1)
    cast = np.array([rng.uniform(0.9, 1.1) for _channel in range(3)])
    across = 1 + rng.uniform(-0.25, 0.25) * np.linspace(-1, 1, side)[:, None]
    lit = ((pixels - 0.5) * contrast + 0.5) * brightness * cast * across[..., None]
    seen: NDArray[np.float64] = np.clip(lit + noise.normal(0, rng.uniform(0.005, 0.035), pixels.shape), 0, 1)
    return seen
