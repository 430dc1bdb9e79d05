"""Seconds from `streamlit run` to the first page rendered in Chromium.

The peer is a script with only a title: the time of Streamlit and the browser themselves. Each round starts both, with
an empty browser cache; the ratio is ours divided by the peer's. The package is compiled to byte code first, as pip does
when it installs it, and did with Streamlit.
"""

import compileall
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.browser import ROOT, chromium, opened, served

ROUNDS = 5
_PEER = 'import streamlit as st\nst.title("Peer", anchor=False)\nst.button("Begin")\n'


def run() -> dict[str, Any]:
    """Medians of both. Takes about a minute."""
    compileall.compile_dir(ROOT / "scones_core", quiet=1)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        peer = folder / "peer.py"
        peer.write_text(_PEER, "utf-8")
        rounds = [
            (_measured(browser, ROOT / "streamlit_app.py", folder / f"home{n}"), _measured(browser, peer, folder))
            for n in range(ROUNDS)
        ]
    ours = _medians([ours for ours, _ in rounds])
    bare = _medians([bare for _, bare in rounds])
    return {"app": ours, "bare_streamlit": bare, "ratio": ours["first_page_seconds"] / bare["first_page_seconds"]}


def _measured(browser: Browser, script: Path, home: Path) -> tuple[float, float]:
    """Seconds until the server answers, and until the page is there."""
    started = time.perf_counter()
    with served(home, script) as address:
        answers = time.perf_counter() - started
        page = opened(browser, address)
        page.locator("h1").first.wait_for()
        page.locator("[data-testid=stMain] [data-testid=stButton] button").last.wait_for()
        rendered = time.perf_counter() - started
        page.context.close()
    return answers, rendered


def _medians(rounds: list[tuple[float, float]]) -> dict[str, float]:
    return {
        "server_answers_seconds": statistics.median(answers for answers, _ in rounds),
        "first_page_seconds": statistics.median(rendered for _, rendered in rounds),
        "first_page_slowest": max(rendered for _, rendered in rounds),
    }
