"""Seconds to compute all figures of the Monitor page, at 10,000, 100,000 and 1,000,000 captured inferences.

The peer is the smaller size: `beyond_10k` is the time at a size less 1.5 × that at 10,000, in seconds; the bound is
0.05. `filtered_seconds` is the slowest of several filters, `what_if_seconds` another threshold and the cheapest one,
`gallery_seconds` a page of images from the middle.
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from benchmarks._home import add_inferences, deployed
from scones_core.domain.inference_filter import InferenceFilter
from scones_core.services import App, gallery, monitoring, what_if

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 3
FILTERS = (
    InferenceFilter(model="v1", prediction="bicycle"),
    InferenceFilter(accepted=False),
    InferenceFilter(reviewed=False, endpoint="scones-unlimited"),
    InferenceFilter(above=0.5, up_to=0.55),
    InferenceFilter(since=datetime.now(UTC) + timedelta(minutes=7), until=datetime.now(UTC) + timedelta(hours=2)),
)


def run() -> dict[str, Any]:
    """Figures per size. Takes about two minutes, most of them for filling the database."""
    found: dict[str, Any] = {}
    with deployed() as app:
        for before, size in zip((0, *SIZES), SIZES, strict=False):
            add_inferences(app, before, size)
            found[f"{size:,}"] = _measured(app, size)
    base = found[f"{SIZES[0]:,}"]["seconds"]
    beyond = {name: figures["seconds"] - 1.5 * base for name, figures in found.items()}
    return {"inferences": found, "beyond_10k": beyond}


def _measured(app: App, size: int) -> dict[str, float]:
    _figures(app, size)  # imports, and the pages of the database
    figures = [_seconds(lambda: _figures(app, size)) for _ in range(ROUNDS)]
    threshold = [_seconds(lambda: _threshold(app)) for _ in range(ROUNDS)]
    filtered = [min(_seconds(partial(monitoring.figures, app, which)) for _ in range(2)) for which in FILTERS]
    return {
        "filtered_seconds": max(filtered),
        "what_if_seconds": min(_seconds(lambda: _what_if(app)) for _ in range(ROUNDS)),
        "gallery_seconds": min(
            _seconds(lambda: gallery.page(app, InferenceFilter(), size // 80)) for _ in range(ROUNDS)
        ),
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


def _what_if(app: App) -> None:
    found = what_if.traffic(app, InferenceFilter())
    what_if.at(found, 0.9)
    what_if.cheapest(found, error=10, review=1)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
