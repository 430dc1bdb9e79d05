"""Is the challenger better than the champion on the same images?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no significant difference"


@dataclass(frozen=True)
class Comparison:
    """Paired comparison on `images` test images.

    challenger_only, champion_only: images which just that one classified correctly.
    difference: challenger's accuracy minus the champion's, with its 95 % interval.
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
    """Exact two-sided McNemar test on the discordant counts `b` and `c`; 1.0 when there are none.

    Source: McNemar 1947; exact form: binomial test of b out of b + c with p = 1/2.
    """
    n, k = b + c, min(b, c)
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, i) for i in range(k + 1))
    return min(1.0, float(2 * tail / 2**n))


def difference_interval(b: int, c: int, n: int, *, z: float = 1.959963984540054) -> tuple[float, float]:
    """Interval for the difference of two paired proportions, (b - c) / n, within [-1, 1].

    Source: Agresti & Min 2005, Wald interval with 0.5 added to each of the four cells.
    """
    b2, c2, n2 = b + 0.5, c + 0.5, n + 2
    middle = (b2 - c2) / n2
    spread = z * math.sqrt(max(0.0, b2 + c2 - (b2 - c2) ** 2 / n2)) / n2
    return max(-1.0, middle - spread), min(1.0, middle + spread)


def compare(labels: Sequence[int], champion: Sequence[int], challenger: Sequence[int]) -> Comparison:
    """Compare two models' predictions (class indices) on the same labelled images, at the 5 % level.

    Raises ValueError when there is no image or the lengths differ.
    """
    n = len(labels)
    if n == 0:
        raise ValueError("there is no image to compare on")
    pairs = [(a == y, b == y) for y, a, b in zip(labels, champion, challenger, strict=True)]
    gained = sum(not old and new for old, new in pairs)
    lost = sum(old and not new for old, new in pairs)
    p = mcnemar_p_value(gained, lost)
    verdict = Verdict.NO_DIFFERENCE if p >= 0.05 else Verdict.BETTER if gained > lost else Verdict.WORSE
    return Comparison(
        images=n,
        champion_accuracy=sum(old for old, _ in pairs) / n,
        challenger_accuracy=sum(new for _, new in pairs) / n,
        challenger_only=gained,
        champion_only=lost,
        p_value=p,
        difference=(gained - lost) / n,
        difference_interval=difference_interval(gained, lost, n),
        verdict=verdict,
    )
