"""Labels per minute and errors of a scripted reviewer of human pace, on the desk and on the grid.

The reviewer knows what each image shows and takes a person's time; the app's own time comes on top. Paces and errors
are assumptions, not measurements: a decision on one large image takes `LOOK`, a thumbnail of a page of one class
`SCAN`, a click `CLICK`, a page's confirmation `TURN`; every `SLIP`th decision on the desk is a slip, and every `MISS`th
wrong thumbnail is overlooked. `scan_for_4` is the slowest `SCAN` that keeps four times the desk's rate.
"""

import io
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page

from benchmarks._home import empty
from scones_core.domain.capture import record
from scones_core.services import App, capture, review
from tests.browser import served

LOOK, SCAN, CLICK, TURN = 1.2, 0.2, 0.8, 1.0  # seconds
SLIP, MISS = 100, 10
WRONG = 0.08  # share of planted wrong predictions
ON_DESK, PAGES, PAGE = 100, 5, 60
CLASSES = ("bicycle", "motorcycle")
_SHOWS = {name: "bicycle" if name == "b" else "motorcycle" for name in "bm"}  # by the first letter of the event id


def paces(browser: Browser) -> dict[str, Any]:
    """Takes about four minutes, at a person's pace."""
    with empty() as app:
        captured(app, ON_DESK + PAGES * PAGE)
        with served(app.settings.home) as address:
            desk = _desk(browser, address)
            desk_errors = _errors(app, [])
            decided = [row["id"] for row in review.reviewed(app)]
            grid = _grid(browser, address)
            grid_errors = _errors(app, decided)
    per_image, clicks = PAGES * PAGE * SCAN, grid["seconds"] - PAGES * PAGE * SCAN
    allowed = (PAGES * PAGE * 60 / (4 * desk["labels_per_minute"]) - clicks) / (per_image / SCAN)
    return {
        "assumed_seconds": {"look": LOOK, "scan": SCAN, "click": CLICK, "turn": TURN},
        "desk": desk | {"error_rate": desk_errors},
        "grid": grid | {"error_rate": grid_errors},
        "ratio": grid["labels_per_minute"] / desk["labels_per_minute"],
        "more_errors_in_points": 100 * (grid_errors - desk_errors),
        "scan_for_4": allowed,
    }


def captured(app: App, count: int, *, first: int = 0) -> None:
    """Captures that all predict a bicycle; `WRONG` of them show a motorcycle, evenly spread."""
    random, lines = np.random.default_rng(first), []
    for number in range(first, first + count):
        shows = "m" if number % round(1 / WRONG) == 0 else "b"
        written = io.BytesIO()
        Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(written, "PNG")
        document = record(
            event_id=f"{shows}{number:04}",
            time=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
            body=written.getvalue(),
            content_type="image/png",
            response=json.dumps([0.6 + number / 100_000, 0.4 - number / 100_000]),
            inference_id=None,
            custom_attributes=None,
        )
        lines.append(json.dumps(document).encode())
    capture.ingest_files(app, [b"\n".join(lines)], classes=CLASSES)


def _opened(browser: Browser, address: str) -> Page:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=address)
    context.add_cookies([{"name": "scones_user", "value": "bench", "url": address}])
    page = context.new_page()
    page.goto("/review")
    page.locator(".desk img.picture").wait_for()
    page.wait_for_timeout(2000)
    return page


def _desk(browser: Browser, address: str) -> dict[str, float]:
    page = _opened(browser, address)
    desk = page.locator(".desk")
    begun = time.perf_counter()
    for number in range(1, ON_DESK + 1):
        id = desk.get_attribute("data-item") or ""
        page.wait_for_timeout(1000 * LOOK)
        right = 1 if id.startswith("b") else 2
        page.keyboard.press(str(right if number % SLIP else 3 - right))
        page.locator(f'.desk:not([data-item="{id}"])').wait_for()
    seconds = time.perf_counter() - begun
    _until_saved(page, ".desk")
    page.context.close()
    return {"labels": ON_DESK, "seconds": seconds, "labels_per_minute": 60 * ON_DESK / seconds}


def _grid(browser: Browser, address: str) -> dict[str, float]:
    page, seen = _opened(browser, address), 0
    page.get_by_role("radio", name="Grid").click()
    tiles = page.locator(".grid .tile")
    tiles.first.wait_for()
    page.wait_for_timeout(1000)
    labels, begun = 0, time.perf_counter()
    for _ in range(PAGES):
        first = page.locator(".grid").get_attribute("data-first")
        ids = tiles.evaluate_all("tiles => tiles.map(tile => tile.dataset.id)")
        page.wait_for_timeout(1000 * SCAN * len(ids))
        for place, id in enumerate(ids):
            seen += id.startswith("m")
            if id.startswith("m") and seen % MISS:
                page.wait_for_timeout(1000 * CLICK)
                tiles.nth(place).click()
        page.wait_for_timeout(1000 * TURN)
        page.keyboard.press("Enter")
        labels += len(ids)
        page.locator(f'.grid:not([data-first="{first}"])').wait_for()
    seconds = time.perf_counter() - begun
    _until_saved(page, ".grid")
    page.context.close()
    return {"labels": labels, "seconds": seconds, "labels_per_minute": 60 * labels / seconds}


def _until_saved(page: Page, selector: str) -> None:
    page.locator(f'{selector}[data-unsaved="0"]').wait_for(timeout=60_000)


def _errors(app: App, without: list[str]) -> float:
    """Share of wrong labels among those recorded, but for some images."""
    rows = [row for row in review.reviewed(app) if row["id"] not in without]
    return float(np.mean([row["label"] != _SHOWS[row["id"][0]] for row in rows]))
