"""A small pen for pictures of vehicles: shapes in the vehicle's own coordinates, placed, turned and squeezed as one.

Vehicle coordinates: the rear hub is (0, 0), the front hub (1, 0), and y points up.
"""

import colorsys
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

CORNERS = [(math.cos(step * math.tau / 28), math.sin(step * math.tau / 28)) for step in range(28)]


@dataclass(frozen=True)
class Placement:
    """Where the vehicle stands on the canvas. wheelbase in pixels; squeeze: 1 from the side, 0.4 nearly from ahead."""

    centre: Point
    wheelbase: float
    squeeze: float
    turn: float
    faces_left: bool
    lean: float

    def to_canvas(self, point: Point) -> Point:
        along = (point[0] - 0.5) * self.squeeze + self.lean * point[1]
        up = point[1] - 0.15
        x = (-along if self.faces_left else along) * self.wheelbase
        y = -up * self.wheelbase
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        return self.centre[0] + x * cos - y * sin, self.centre[1] + x * sin + y * cos


@dataclass(frozen=True)
class Pen:
    """Draws on the canvas through a placement; widths and radii are in wheelbases."""

    draw: ImageDraw.ImageDraw
    place: Placement

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        thickness = max(1, round(width * self.place.wheelbase))
        spots = [self.place.to_canvas(point) for point in points]
        self.draw.line(spots, fill=colour, width=thickness, joint="curve")
        if thickness > 3:
            for x, y in (spots[0], spots[-1]):
                self.draw.ellipse(
                    [x - thickness / 2, y - thickness / 2, x + thickness / 2, y + thickness / 2], fill=colour
                )

    def area(self, points: Sequence[Point], colour: Colour) -> None:
        self.draw.polygon([self.place.to_canvas(point) for point in points], fill=colour)

    def disc(self, centre: Point, radius: float, colour: Colour, *, flatten: float = 1.0) -> None:
        self.area([(centre[0] + radius * x, centre[1] + radius * flatten * y) for x, y in CORNERS], colour)

    def ring(
        self, centre: Point, radius: float, width: float, colour: Colour, *, part: float = 1.0, start: float = 0.0
    ) -> None:
        steps = max(8, round(32 * part))
        angles = [(start + part * step / steps) * math.tau for step in range(steps + 1)]
        self.line([(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles], width, colour)

    def spokes(self, centre: Point, radius: float, count: int, width: float, colour: Colour, start: float) -> None:
        for spoke in range(count):
            angle = (start + spoke / count) * math.pi
            x, y = radius * math.cos(angle), radius * math.sin(angle)
            self.line([(centre[0] - x, centre[1] - y), (centre[0] + x, centre[1] + y)], width, colour)


def paint(rng: random.Random, *, lively: float = 0.75, light: tuple[float, float] = (0.3, 0.95)) -> Colour:
    """A colour of paint: a vivid one with probability `lively`, else black, white or grey."""
    if rng.random() < lively:
        return tint(rng.random(), rng.uniform(0.55, 1.0), rng.uniform(*light))
    return tint(0.0, 0.0, rng.choice((rng.uniform(0.05, 0.2), rng.uniform(0.5, 0.95))))


def tint(hue: float, saturation: float, value: float) -> Colour:
    """The colour of hue, saturation and value, each 0 to 1."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, min(1, max(0, saturation)), min(1, max(0, value)))
    return round(red * 255), round(green * 255), round(blue * 255)


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made darker (below 1) or lighter (above)."""
    red, green, blue = (min(255, round(part * factor)) for part in colour)
    return red, green, blue
