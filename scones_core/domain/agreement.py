"""Agreement of reviewers beyond chance."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Ratings = Sequence[Mapping[str, str]]  # per image: reviewer → label


def fleiss_kappa(counts: npt.ArrayLike) -> float | None:
    """Fleiss' kappa of images that equally many reviewers rated.

    counts : (n_images, n_classes), how many reviewers gave an image a class; every row sums to the same number, ≥ 2.
    Returns a number up to 1, 0 for agreement by chance; None if it is undefined (one class only, or no image).
    Source: Fleiss 1971, "Measuring nominal scale agreement among many raters".
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.size == 0:
        return None
    raters = table[0].sum()
    if raters < 2 or not np.all(table.sum(axis=1) == raters):
        raise ValueError("every image needs the same number of ratings, at least two")
    observed = np.mean((np.square(table).sum(axis=1) - raters) / (raters * (raters - 1)))
    expected = np.square(table.sum(axis=0) / table.sum()).sum()
    return None if expected == 1 else float((observed - expected) / (1 - expected))


def krippendorff_alpha(ratings: Ratings) -> float | None:
    """Krippendorff's alpha for nominal labels; any number of reviewers per image, images with one do not count.

    Returns a number up to 1, 0 for agreement by chance; None if it is undefined (one class only, or no image with two).
    Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C (nominal data, any number of
    observers, missing data).
    """
    units = [Counter(unit.values()) for unit in ratings if len(unit) > 1]
    totals = sum(units, Counter[str]())
    n = totals.total()
    expected = n * n - sum(count * count for count in totals.values())
    if expected == 0:
        return None
    disagreeing = sum(
        (unit.total() ** 2 - sum(count * count for count in unit.values())) / (unit.total() - 1) for unit in units
    )
    return float(1 - (n - 1) * disagreeing / expected)
