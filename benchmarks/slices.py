"""How often a planted slice of images on which a model is wrong is found, and how often one is found that is none.

Real images with their statistics; errors are simulated. `planted`: the darkest fifth is wrong in 13 of 100 cases, the
rest in 3. `nothing`: every image is wrong in 5 of 100. `found` is the share of runs in which the planted slice stands
out; `any` the share in which any does. `false_discoveries` is the mean share of slices that stand out and whose images
are expected to be wrong no more often than the rest: brightness goes along with other statistics, so that parts of
these are truly worse, too. Each run draws its images anew, with replacement, and each has one of two predicted classes.

The bound is the promise itself: at most 5% false discoveries. The peer is the same without the adjustment.
"""

import time
from typing import Any

import numpy as np

from benchmarks._images import load
from scones_core.domain.slices import LEVEL, Slice, slices
from scones_core.vision.statistics import STATISTICS, statistics_of

RUNS = 200
LABELS = (200, 500, 1_000, 2_000)
PLANTED, BASE, EVEN = 0.13, 0.03, 0.05


def run(runs: int = RUNS) -> dict[str, Any]:
    """Figures per number of labels. Takes about a minute."""
    images = load("train") + load("test")
    statistics = np.array([statistics_of(file) for file in images.files])
    classes = np.array(images.labels)
    begin = time.perf_counter()
    found = {
        f"{labels:,}": {
            "planted": _figures(statistics, classes, labels, runs, planted=True),
            "nothing": _figures(statistics, classes, labels, runs, planted=False),
        }
        for labels in LABELS
    }
    seconds = (time.perf_counter() - begin) / (2 * runs * len(LABELS))
    return {"images": len(classes), "runs": runs, "labels": found, "seconds_per_search": seconds}


def _figures(statistics: Any, classes: Any, labels: int, runs: int, *, planted: bool) -> dict[str, float]:
    hits, some, false, unadjusted = [], [], [], []
    for seed in range(runs):
        rng = np.random.default_rng([seed, labels, planted])
        drawn = rng.integers(0, len(classes), labels)
        values = statistics[drawn]
        dark = values[:, 0] <= np.quantile(values[:, 0], 0.2)
        risk = np.where(dark, PLANTED, BASE) if planted else np.full(labels, EVEN)
        wrong = rng.random(labels) < risk
        columns = {name: values[:, place] for place, name in enumerate(STATISTICS)}
        found = slices(wrong, columns, {"predicted class": [str(label) for label in classes[drawn]]})
        standing = [one for one in found if one.found]
        hits.append(any(one.attribute == "brightness" and one.part == "lowest fifth" for one in standing))
        some.append(bool(standing))
        false.append(_false(standing, risk))
        unadjusted.append(_false([one for one in found if _alone(one) <= LEVEL], risk))
    figures = {"any": float(np.mean(some)), "false_discoveries": float(np.mean(false))}
    figures["false_discoveries_unadjusted"] = float(np.mean(unadjusted))
    return {"found": float(np.mean(hits)), **figures} if planted else figures


def _alone(one: Slice) -> float:
    """The p-value of a slice by itself."""
    from scipy.stats import hypergeom

    errors = one.wrong + round(one.rest_rate * one.rest)
    return float(hypergeom.sf(one.wrong - 1, one.images + one.rest, errors, one.images))


def _false(standing: list[Slice], risk: Any) -> float:
    """Share of the slices whose images are truly wrong no more often than the rest."""
    false = [risk[one.members].mean() <= risk[~one.members].mean() + 1e-12 for one in standing]
    return float(np.mean(false)) if false else 0.0
