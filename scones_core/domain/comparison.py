"""Paired comparison of challenger and champion on the same images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

SIGNIFICANT = 0.05  # two equally good models are called different in so many cases at most
Z = 1.959963984540054  # the normal quantile of 1 - SIGNIFICANT / 2


class Verdict(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no significant difference"


@dataclass(frozen=True)
class Comparison:
    """Paired comparison on `images` test images.

    challenger_only, champion_only: images that only this one classified correctly.
    difference: challenger's accuracy minus the champion's, with its 95% interval, which contains 0 exactly if the
    verdict is "no significant difference".
    """

    images: int
    champion_accuracy: float
    challenger_accuracy: float
    challenger_only: int
    champion_only: int
    p_value: float
    difference: float
    difference_interval: tuple[float, float]
    verdict: Verdict


def mcnemar_p_value(b: int, c: int) -> float:
    """Two-sided mid-p McNemar test on the discordant counts `b` and `c`; 1.0 if there are none.

    The exact binomial test of b out of b + c with p = 1/2, counting the observed outcome by half: the exact test
    is so conservative that it rejects at the 5% level in only 2 to 3% of cases.
    Source: Fagerland, Lydersen & Laake 2013, eq. 5.
    """
    from scipy.special import bdtr  # takes half a second to import; most pages and commands do not need it

    n, k = b + c, min(b, c)
    return float(bdtr(k, n, 0.5) + (bdtr(k - 1, n, 0.5) if k else 0.0)) if n else 1.0


def difference_interval(b: int, c: int, n: int, *, z: float = Z) -> tuple[float, float]:
    """Interval for the difference of two paired proportions, (b - c) / n, within [-1, 1].

    The differences not rejected by a score test, whose test of no difference is McNemar's asymptotic one.
    Source: Tango 1998.
    """
    return -_upper_end(c, b, n, z), _upper_end(b, c, n, z)


def _upper_end(b: int, c: int, n: int, z: float) -> float:
    low, high = (b - c) / n, 1.0
    for _ in range(50):  # halvings of an interval of at most 2: to 2e-15
        middle = (low + high) / 2
        low, high = (middle, high) if _score(middle, b, c, n) > -z else (low, middle)
    return high


def _score(difference: float, b: int, c: int, n: int) -> float:
    """Tango's statistic, standard normal where `difference` is the true one."""
    half = -b - c + (2 * n - b + c) * difference
    only_second = math.sqrt(half**2 + 8 * n * c * difference * (1 - difference)) - half  # its likeliest rate, times 4n
    variance = only_second / 2 + n * difference * (1 - difference)
    return (b - c - n * difference) / math.sqrt(variance) if variance > 0 else -math.inf


def compare(labels: Sequence[int], champion: Sequence[int], challenger: Sequence[int]) -> Comparison:
    """Compare two models' predictions (class indices) on the same labelled images, at the 5% level.

    Raises ValueError if there is no image or the lengths differ.
    """
    n = len(labels)
    if n == 0:
        raise ValueError("there is no image to compare on")
    pairs = [(a == y, b == y) for y, a, b in zip(labels, champion, challenger, strict=True)]
    gained = sum(not old and new for old, new in pairs)
    lost = sum(old and not new for old, new in pairs)
    p = mcnemar_p_value(gained, lost)
    verdict = Verdict.NO_DIFFERENCE if p >= SIGNIFICANT else Verdict.BETTER if gained > lost else Verdict.WORSE
    low, high = difference_interval(gained, lost, n)
    if verdict is Verdict.NO_DIFFERENCE:
        # The asymptotic test rejects a little sooner: at 4 images against none, 15 against 6, and some others.
        low, high = min(low, 0.0), max(high, 0.0)
    return Comparison(
        images=n,
        champion_accuracy=sum(old for old, _ in pairs) / n,
        challenger_accuracy=sum(new for _, new in pairs) / n,
        challenger_only=gained,
        champion_only=lost,
        p_value=p,
        difference=(gained - lost) / n,
        difference_interval=(low, high),
        verdict=verdict,
    )
