"""Slices of labelled images on which a model is wrong more often than on the rest.

References
----------
[BH95] Benjamini, Hochberg, "Controlling the false discovery rate", J. of the Royal Statistical Society B 57 (1995).
[BY05] Benjamini, Yekutieli, "False discovery rate-adjusted multiple confidence intervals for selected parameters",
       J. of the American Statistical Association 100 (2005).
[FIS35] Fisher, "The Design of Experiments" (1935): the exact test of a two by two table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scones_core.domain.confidence import accuracy_interval

PARTS = 5  # a statistic is cut into fifths
FEWEST = 10  # labelled images of a slice
LEVEL = 0.05  # expected share of false discoveries
FIFTHS = ("lowest", "second", "middle", "fourth", "highest")
LOWEST = {"brightness": "Darkest", "contrast": "Flattest", "edges": "Smoothest", "colour": "Greyest"}
HIGHEST = {"brightness": "Brightest", "contrast": "Starkest", "edges": "Sharpest", "colour": "Most colourful"}

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Slice:
    """A part of the labelled images.

    attribute, part : such as brightness and “lowest fifth”, or predicted class and “bicycle”.
    above, up_to : bounds of a fifth, (above, up_to]; infinite at the ends; None for a category.
    members : bool, shape (n,).  images, wrong : in the slice.  low, high : 95% interval of its error rate;
    of slices that stand out, which were chosen for a high rate, wider, so that 95 of 100 such intervals hold [BY05].
    rest_rate : error rate of the others.  p_value : of a rate as high by chance, among all slices adjusted.
    """

    attribute: str
    part: str
    above: float | None
    up_to: float | None
    members: Bools
    images: int
    wrong: int
    low: float
    high: float
    rest: int
    rest_rate: float
    p_value: float

    @property
    def name(self) -> str:
        """Such as Darkest fifth, or Predicted class bicycle."""
        if self.above is None:
            return f"{self.attribute.capitalize()} {self.part.replace('_', ' ')}"
        ends = {"lowest fifth": LOWEST, "highest fifth": HIGHEST}.get(self.part, {})
        known = ends.get(self.attribute)
        return f"{known} fifth" if known else f"{self.attribute.capitalize()}, {self.part}"

    @property
    def rate(self) -> float:
        return self.wrong / self.images

    @property
    def found(self) -> bool:
        """Whether it stands out: expected to be by chance in at most 5 of 100 such slices."""
        return self.p_value <= LEVEL

    def holds(self, value: float | str) -> bool:
        """Whether an image with this value of the attribute belongs to the slice."""
        if isinstance(value, str) or self.above is None or self.up_to is None:
            return value == self.part
        return self.above < value <= self.up_to


def slices(
    wrong: Bools, statistics: Mapping[str, Floats], categories: Mapping[str, Sequence[str | None]]
) -> list[Slice]:
    """All slices of ten or more images, the most certain first.

    wrong : bool, shape (n,).  statistics : per attribute a number per image, cut into fifths; NaN is in none.
    categories : per attribute a text per image; None is in none.
    One-sided exact tests [FIS35] against the rest of the images that have the attribute, adjusted for their number
    [BH95].
    """
    from scipy.stats import false_discovery_control, hypergeom  # half a second to import; most pages do without

    parts = [part for part in _parts(statistics, categories) if part[4].sum() >= FEWEST and (part[5] & ~part[4]).any()]
    if not parts:
        return []
    tables = [
        (int((wrong & members).sum()), int(members.sum()), int((wrong & known).sum()), int(known.sum()))
        for *_, members, known in parts
    ]
    values = [float(hypergeom.sf(errors - 1, n, all_errors, size)) for errors, size, all_errors, n in tables]
    adjusted = false_discovery_control(np.clip(values, 0, 1), method="bh")
    selected = int((adjusted <= LEVEL).sum())
    found = []
    for (name, part, above, up_to, members, _), (errors, size, all_errors, n), p in zip(
        parts, tables, adjusted, strict=True
    ):
        level = 1 - LEVEL * selected / len(parts) if p <= LEVEL else 1 - LEVEL
        right_low, right_high = accuracy_interval(size - errors, size, level)
        rest = n - size
        found.append(
            Slice(
                *(name, part, above, up_to, members, size, errors),
                low=1 - right_high,
                high=1 - right_low,
                rest=rest,
                rest_rate=(all_errors - errors) / rest,
                p_value=float(p),
            )
        )
    return sorted(found, key=lambda one: (one.p_value, -one.rate))


def _parts(
    statistics: Mapping[str, Floats], categories: Mapping[str, Sequence[str | None]]
) -> Iterator[tuple[str, str, float | None, float | None, Bools, Bools]]:
    """attribute, part, bounds, members, images that have the attribute."""
    for name, values in statistics.items():
        known = ~np.isnan(values)
        if not known.any():
            continue
        inner = np.quantile(values[known], np.arange(1, PARTS) / PARTS)
        edges = [-np.inf, *inner, np.inf]
        for part, above, up_to in zip(FIFTHS, edges[:-1], edges[1:], strict=True):
            yield name, f"{part} fifth", float(above), float(up_to), (values > above) & (values <= up_to), known
    for name, texts in categories.items():
        named = np.array([text or "" for text in texts], dtype=object)
        known = named != ""
        for part in sorted(set(named[known])):
            yield name, part, None, None, named == part, known
