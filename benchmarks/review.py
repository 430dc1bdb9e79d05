"""From key press to the next image on screen, and decisions per second of eight reviewers at once.

`key_press` is measured in the page: from the keydown event to the first frame after the next image has been decoded.
The peer is Streamlit's own way, `st.button(shortcut=…)` and `st.image` in a fragment, with the same use cases behind
it; the ratio is ours divided by the peer's. Both record every decision durably; with the desk that happens behind the
screen, and `recorded` is when the server has confirmed it.

`pace`: labels per minute and errors on the desk and on the grid, of a scripted reviewer (`benchmarks._review_pace`).

`throughput`: threads of one process, as the sessions of one server are. The peer is one reviewer alone.
"""

import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page
from pydantic import SecretStr

from benchmarks._home import classify_all, deployed
from benchmarks._review_pace import captured, paces
from scones_core.bootstrap import open_app
from scones_core.services import App, review
from scones_core.settings import Settings
from tests.browser import ROOT, chromium, opened, served
from tests.postgres import cluster

PRESSES, WARM_UP = 40, 5
PAUSE = 350  # milliseconds between presses
REVIEWERS, DECISIONS = 8, 60

_WATCH = """
(find) => {
  const roots = () => [document, ...[...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean)];
  const query = (selector) => roots().map((root) => root.querySelector(selector)).find(Boolean);
  const source = () => query(find)?.getAttribute('src') ?? '';
  window.latency = undefined;
  window.recorded = undefined;
  const before = source();
  document.addEventListener('keydown', (event) => {
    const look = () => {
      const image = query(find);
      if (!image || source() === before || !image.complete) return requestAnimationFrame(look);
      image.decode().then(() => requestAnimationFrame(() => { window.latency = performance.now() - event.timeStamp; }));
    };
    const settled = () => {
      const desk = query('.desk');
      if (window.latency === undefined || (desk && desk.dataset.unsaved !== '0')) return requestAnimationFrame(settled);
      window.recorded = performance.now() - event.timeStamp;
    };
    requestAnimationFrame(look);
    requestAnimationFrame(settled);
  }, { capture: true, once: true });
}
"""


def run() -> dict[str, Any]:
    """Takes about six minutes."""
    with deployed() as app, tempfile.TemporaryDirectory() as folder:
        classify_all(app)
        app.db.close()
        copies = [Path(folder) / name for name in ("desk", "peer")]
        for copy in copies:
            shutil.copytree(app.settings.home, copy, symlinks=True)
        with chromium() as browser:
            desk = _desk(browser, copies[0])
            peer = _peer(browser, copies[1])
            pace = paces(browser)
        throughput = {"sqlite": _throughput(app), "postgresql": _on_postgresql()}
    key_press = {
        "desk": _figures(desk),
        "native_buttons": _figures(peer),
        "ratio_p50": _at([latency for latency, _ in desk], 50) / _at([latency for latency, _ in peer], 50),
    }
    return {"key_press_milliseconds": key_press, "pace": pace, "throughput": throughput}


def _desk(browser: Browser, home: Path) -> list[tuple[float, float]]:
    with served(home) as address:
        page = opened(browser, f"{address}/review")
        page.get_by_label("Reviewer").fill("bench")
        page.get_by_role("button", name="Start reviewing").click()
        return _presses(page, ".desk img.picture")


def _peer(browser: Browser, home: Path) -> list[tuple[float, float]]:
    with served(home, ROOT / "benchmarks" / "_review_peer.py") as address:
        return _presses(opened(browser, address), '[data-testid="stImage"] img')


def _presses(page: Page, image: str) -> list[tuple[float, float]]:
    """Milliseconds to the next image, and to the confirmed decision, per press after the warm-up."""
    page.locator(image).first.wait_for()
    page.wait_for_timeout(2000)
    page.locator("h1").first.click()
    found = []
    for number in range(WARM_UP + PRESSES):
        page.evaluate(_WATCH, image)
        page.keyboard.press("12"[number % 2])
        page.wait_for_function("() => window.recorded !== undefined")
        found.append((page.evaluate("window.latency"), page.evaluate("window.recorded")))
        page.wait_for_timeout(PAUSE)
    page.context.close()
    return found[WARM_UP:]


def _figures(presses: list[tuple[float, float]]) -> dict[str, float]:
    shown, recorded = [one for one, _ in presses], [one for _, one in presses]
    return {
        "p50": _at(shown, 50),
        "p95": _at(shown, 95),
        "slowest": max(shown),
        "recorded_p50": _at(recorded, 50),
        "recorded_p95": _at(recorded, 95),
    }


def _at(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent))


def _throughput(app: App) -> dict[str, Any]:
    """Each reviewer leases and decides until they have `DECISIONS`; no image may be decided twice."""
    captured(app, 4 * REVIEWERS * DECISIONS, first=10_000)
    before = len(review.reviewed(app))
    alone, _wait = _reviewers(app, 1)
    together, wait = _reviewers(app, REVIEWERS)
    decided = len(review.reviewed(app)) - before
    assert decided == (1 + REVIEWERS) * DECISIONS, "a decision was lost, or an image was decided twice"
    return {
        "reviewers": REVIEWERS,
        "decisions_per_second": together,
        "one_reviewer_per_second": alone,
        "ratio": together / alone,
        "longest_wait_seconds": wait,
    }


def _on_postgresql() -> dict[str, Any] | None:
    """The same on a PostgreSQL of its own; None where it is not installed."""
    try:
        with cluster() as url, tempfile.TemporaryDirectory() as folder:
            app = open_app(Settings(home=Path(folder) / "home", database_url=SecretStr(f"{url}postgres")))
            try:
                return _throughput(app)
            finally:
                app.close()
    except pytest.skip.Exception:
        return None


def _reviewers(app: App, count: int) -> tuple[float, float]:
    """Decisions per second of `count` reviewers at once, and the longest wait of any for a lease or a decision."""
    with ThreadPoolExecutor(count) as threads:
        started = time.perf_counter()
        waits = list(threads.map(lambda n: _review(app, f"reviewer-{count}-{n}"), range(count)))
        return count * DECISIONS / (time.perf_counter() - started), max(waits)


def _review(app: App, name: str) -> float:
    waiting, longest = list[str](), 0.0
    for number in range(DECISIONS):
        started = time.perf_counter()
        if not waiting:
            waiting = [item.id for item in review.next_items(app, name, count=7)]
        review.decide(app, waiting.pop(0), "bicycle", name, key=f"{name}-{number}")
        longest = max(longest, time.perf_counter() - started)
    return longest
