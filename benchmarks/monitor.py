"""Seconds to compute all figures of the Monitor page, at 10,000, 100,000 and 1,000,000 captured inferences.

The peer is the smaller size: `per_inference_against_10k` is the time per inference divided by that at 10,000.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks._home import add_inferences, deployed
from scones_core.services import App, monitoring

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 3


def run() -> dict[str, Any]:
    """Figures per size. Takes about two minutes, most of them for filling the database."""
    found: dict[str, Any] = {}
    with deployed() as app:
        for before, size in zip((0, *SIZES), SIZES, strict=False):
            add_inferences(app, before, size)
            found[f"{size:,}"] = _measured(app, size)
    base = found[f"{SIZES[0]:,}"]["seconds"] / SIZES[0]
    ratios = {
        name: figures["seconds"] / size / base for size, (name, figures) in zip(SIZES, found.items(), strict=True)
    }
    return {"inferences": found, "per_inference_against_10k": ratios}


def _measured(app: App, size: int) -> dict[str, float]:
    figures = [_seconds(lambda: _figures(app, size)) for _ in range(ROUNDS)]
    threshold = [_seconds(lambda: _threshold(app)) for _ in range(ROUNDS)]
    return {
        "seconds": statistics.median(figures) + statistics.median(threshold),
        "figures_seconds": statistics.median(figures),
        "threshold_seconds": statistics.median(threshold),
        "slowest_round": max(figures) + max(threshold),
    }


def _figures(app: App, size: int) -> None:
    """Counts, histogram, classes, periods, drift, and the points that are drawn."""
    assert monitoring.figures(app).inferences == size


def _threshold(app: App) -> None:
    """The curve of risk and coverage, and one threshold tried."""
    monitoring.risk_coverage(app)
    monitoring.threshold_figures(app, 0.9)


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
