"""200 executions started on the Workflow page, beside the same number started by the command line.

Both send 200 random images, 4 at a time, to the same model in the same temporary home. `seconds` of the page runs from
the click on the start button until the result is there, in a browser, with its live table; that of the command line is
its whole process. They take turns, and the medians count.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks._home import deployed
from tests.browser import ROOT, chromium, opened, server

EXECUTIONS, ROUNDS = 200, 3


def run() -> dict[str, Any]:
    """Seconds of both, and their ratio. Takes about a minute."""
    with (
        deployed(pool_share=0.5) as app,
        chromium() as browser,
        server(home := app.settings.home) as (address, _process),
    ):
        page = opened(browser, f"{address}/workflow")
        rounds = [(_page(page), _command_line(home)) for _ in range(1 + ROUNDS)][1:]
    ours, peer = (statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    return {
        "executions": EXECUTIONS,
        "page": {"seconds": ours, "executions_per_second": EXECUTIONS / ours},
        "command_line": {"seconds": peer, "executions_per_second": EXECUTIONS / peer},
        "ratio": ours / peer,
    }


def _page(page: Page) -> float:
    page.reload()
    page.get_by_role("slider").first.press("End")
    start = page.get_by_role("button", name=f"Start {EXECUTIONS} executions")
    start.wait_for()
    begin = time.perf_counter()
    start.click()
    page.get_by_text(f"{EXECUTIONS} executions ended").wait_for()
    return time.perf_counter() - begin


def _command_line(home: Path) -> float:
    options = ["--home", str(home), "--json", "classify", "--sample", str(EXECUTIONS), "--workers", "4"]
    command = [sys.executable, "-m", "scones_core", *options]
    begin = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin
