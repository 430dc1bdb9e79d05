"""The two vehicles of the generated sample, as a few dozen strokes each."""

import math
import random

from benchmarks.sample.drawing import Colour, Pen, Point, paint, shade, tint

BLACK: Colour = (22, 22, 24)


def draw_bicycle(pen: Pen, rng: random.Random) -> None:
    """Two thin spoked wheels, a diamond of thin tubes, saddle and handlebar; some electric or with fat tyres."""
    colour, radius = paint(rng), rng.uniform(0.31, 0.37)
    sturdy = rng.random() < 0.18
    tyre = rng.uniform(0.055, 0.085) if sturdy else rng.uniform(0.024, 0.045)
    tube = rng.uniform(0.045, 0.07) if sturdy else rng.uniform(0.028, 0.05)
    for hub in ((0.0, 0.0), (1.0, 0.0)):
        _thin_wheel(pen, rng, hub, radius, tyre)
    if rng.random() < 0.3:
        _mudguards(pen, radius, shade(colour, 0.8))
    crank, seat, head, fork = (0.43, -0.03), (0.30, 0.50), (0.78, 0.54), (0.82, 0.40)
    low = rng.random() < 0.25
    for stroke in (
        [(0.0, 0.0), crank, seat, (0.0, 0.0)],
        [crank, fork],
        [(seat[0] + 0.06, seat[1] - 0.24), fork] if low else [seat, head],
        [head, fork, (1.0, 0.0)],
    ):
        pen.line(stroke, tube, colour)
    if sturdy:
        pen.line([(0.50, 0.05), (0.70, 0.27)], 0.11, BLACK)
    _saddle_and_bars(pen, rng, seat, head)
    _pedals(pen, rng, crank)
    if rng.random() < 0.2:
        _basket(pen, rng)


def _thin_wheel(pen: Pen, rng: random.Random, hub: Point, radius: float, tyre: float) -> None:
    grey = tint(0.6, 0.03, rng.uniform(0.55, 0.9))
    pen.spokes(hub, radius, rng.randint(4, 7), 0.010, grey, rng.random())
    pen.ring(hub, radius, tyre, BLACK if rng.random() < 0.9 else paint(rng))
    pen.ring(hub, radius - tyre * 0.8, 0.012, grey)
    pen.disc(hub, 0.035, grey)


def _mudguards(pen: Pen, radius: float, colour: Colour) -> None:
    pen.ring((0.0, 0.0), radius + 0.035, 0.03, colour, part=0.4, start=0.12)
    pen.ring((1.0, 0.0), radius + 0.035, 0.03, colour, part=0.3, start=0.15)


def _saddle_and_bars(pen: Pen, rng: random.Random, seat: Point, head: Point) -> None:
    height = rng.uniform(0.10, 0.2)
    top = (seat[0] - 0.03, seat[1] + height)
    pen.line([seat, top], 0.03, tint(0, 0, 0.6))
    pen.line(
        [(top[0] - 0.11, top[1] + 0.01), (top[0] + 0.1, top[1])], 0.055, BLACK if rng.random() < 0.7 else (95, 55, 30)
    )
    stem = (head[0] - 0.03, head[1] + rng.uniform(0.08, 0.16))
    pen.line([head, stem], 0.035, tint(0, 0, 0.55))
    shape = rng.choice(("drop", "flat", "swept"))
    if shape == "drop":
        pen.line(
            [stem, (stem[0] + 0.12, stem[1]), (stem[0] + 0.16, stem[1] - 0.08), (stem[0] + 0.06, stem[1] - 0.14)],
            0.035,
            BLACK,
        )
    elif shape == "flat":
        pen.line([(stem[0] - 0.04, stem[1]), (stem[0] + 0.1, stem[1] + 0.03)], 0.045, BLACK)
    else:
        pen.line([(stem[0] + 0.06, stem[1] + 0.04), stem, (stem[0] - 0.15, stem[1] + 0.03)], 0.035, BLACK)


def _pedals(pen: Pen, rng: random.Random, crank: Point) -> None:
    angle = rng.random() * math.pi
    x, y = 0.14 * math.cos(angle), 0.14 * math.sin(angle)
    pen.ring(crank, 0.075, 0.022, tint(0, 0, 0.45))
    pen.line([(crank[0] - x, crank[1] - y), (crank[0] + x, crank[1] + y)], 0.028, BLACK)
    for side in (-1, 1):
        spot = (crank[0] + side * x, crank[1] + side * y)
        pen.line([(spot[0] - 0.04, spot[1]), (spot[0] + 0.04, spot[1])], 0.035, BLACK)


def _basket(pen: Pen, rng: random.Random) -> None:
    wicker = tint(0.09, 0.5, rng.uniform(0.4, 0.75))
    pen.area([(0.88, 0.72), (1.16, 0.72), (1.12, 0.48), (0.92, 0.48)], wicker)


def draw_motorcycle(pen: Pen, rng: random.Random) -> None:
    """Two thick wheels, tank, engine block, bench and exhaust; some are mopeds with little of each."""
    moped = rng.random() < 0.24
    radius = rng.uniform(0.24, 0.30)
    tyre = rng.uniform(0.05, 0.075) if moped else rng.uniform(0.085, 0.13)
    colour, metal = paint(rng), tint(0.6, 0.04, rng.uniform(0.45, 0.85))
    for hub in ((0.0, 0.0), (1.0, 0.0)):
        _thick_wheel(pen, rng, hub, radius, tyre, metal)
    if moped:
        _moped_body(pen, colour, metal)
    else:
        _body(pen, rng, colour, metal)
    _front(pen, rng, colour, metal, slight=moped)
    if not moped and rng.random() < 0.25:
        _fairing(pen, colour)
    if rng.random() < 0.2:
        pen.area([(-0.22, 0.45), (0.06, 0.45), (0.06, 0.68), (-0.22, 0.68)], shade(colour, 0.6))


def _thick_wheel(pen: Pen, rng: random.Random, hub: Point, radius: float, tyre: float, metal: Colour) -> None:
    if rng.random() < 0.5:
        pen.disc(hub, radius, shade(metal, 0.6))
    pen.spokes(hub, radius, rng.randint(3, 4), 0.03, metal, rng.random())
    pen.ring(hub, radius, tyre, BLACK)
    pen.disc(hub, 0.08, metal)


def _body(pen: Pen, rng: random.Random, colour: Colour, metal: Colour) -> None:
    pen.line([(0.0, 0.0), (0.4, 0.02)], 0.06, BLACK)
    pen.line([(0.02, 0.05), (0.2, 0.36)], 0.05, shade(metal, 0.8))
    pen.area([(0.28, -0.14), (0.70, -0.14), (0.74, 0.10), (0.64, 0.30), (0.34, 0.30), (0.24, 0.08)], shade(metal, 0.55))
    pen.disc((0.42, 0.0), 0.11, metal)
    for fin in range(3):
        pen.line([(0.48, 0.12 + fin * 0.06), (0.68, 0.14 + fin * 0.06)], 0.025, metal)
    pen.area([(0.38, 0.34), (0.46, 0.50), (0.66, 0.54), (0.80, 0.46), (0.76, 0.34)], colour)
    pen.line([(0.50, 0.47), (0.66, 0.49)], 0.03, shade(colour, 1.5))
    lift = rng.uniform(0.0, 0.1)
    pen.area([(-0.14, 0.42 + lift), (-0.10, 0.34), (0.36, 0.30), (0.44, 0.42), (0.1, 0.44)], BLACK)
    pen.area([(-0.26, 0.26), (-0.12, 0.38), (0.2, 0.34), (0.1, 0.26), (-0.1, 0.28)], colour)
    pen.line([(0.66, 0.08), (0.70, -0.10), (0.5, -0.16), (-0.02, -0.12), (-0.26, -0.06)], 0.07, shade(metal, 1.2))


def _moped_body(pen: Pen, colour: Colour, metal: Colour) -> None:
    pen.line([(0.0, 0.0), (0.36, 0.0), (0.66, 0.10), (0.80, 0.44)], 0.08, colour)
    pen.line([(0.36, 0.02), (0.28, 0.40)], 0.07, colour)
    pen.area([(0.26, -0.12), (0.50, -0.12), (0.52, 0.12), (0.30, 0.14)], shade(metal, 0.7))
    pen.area([(0.02, 0.46), (0.42, 0.46), (0.40, 0.37), (0.06, 0.37)], BLACK)
    pen.ring((0.0, 0.0), 0.32, 0.05, colour, part=0.42, start=0.08)
    pen.line([(0.36, -0.10), (-0.12, -0.06)], 0.05, metal)


def _front(pen: Pen, rng: random.Random, colour: Colour, metal: Colour, *, slight: bool) -> None:
    crown = (rng.uniform(0.74, 0.82), 0.52)
    pen.line([(1.0, 0.0), crown], 0.045 if slight else 0.075, metal)
    pen.ring((1.0, 0.0), 0.34, 0.055, colour, part=0.25, start=0.16)
    grip = (crown[0] - rng.uniform(0.08, 0.2), crown[1] + rng.uniform(0.08, 0.24))
    pen.line([crown, (crown[0] - 0.02, grip[1]), grip], 0.05, BLACK)
    pen.disc((crown[0] + 0.08, crown[1] - 0.02), 0.075, (235, 230, 190))
    if rng.random() < 0.5:
        pen.line([(crown[0], grip[1]), (crown[0] + 0.02, grip[1] + 0.1)], 0.03, metal)


def _fairing(pen: Pen, colour: Colour) -> None:
    pen.area(
        [(0.62, 0.50), (0.80, 0.72), (0.94, 0.52), (0.86, 0.24), (0.56, -0.06), (0.36, 0.02), (0.50, 0.26)], colour
    )
    pen.area([(0.74, 0.62), (0.76, 0.78), (0.92, 0.56)], (170, 190, 205))


def draw_rider(pen: Pen, rng: random.Random, *, upright: float) -> None:
    """Somebody in the saddle; upright: how much higher than on a motorcycle the saddle is."""
    cloth, trousers = paint(rng), paint(rng, light=(0.1, 0.5))
    hip, shoulder = (0.26, 0.5 + upright), (0.46, 0.92 + upright)
    pen.line([hip, (0.55, 0.32 + upright), (0.46, 0.0)], 0.11, trousers)
    pen.line([hip, shoulder], 0.17, cloth)
    pen.line([shoulder, (0.6, 0.74 + upright / 2), (0.72, 0.68)], 0.07, cloth)
    skin = rng.choice(((225, 180, 150), (150, 100, 70), (90, 60, 45)))
    pen.disc((0.54, 1.10 + upright), 0.11, skin if rng.random() < 0.4 else paint(rng))
