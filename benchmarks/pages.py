"""Each page, warm, with 100,000 captured inferences: seconds until it is there, the server's CPU, bytes received.

The peer is a bare page, a title and a button, in an app of two such pages: the time of Streamlit and the browser. A
page is opened by its link in the sidebar, as often as `ROUNDS` after a first time; figures are medians. `seconds` runs
from the click until the script has ended and the page's heading is there; `cpu_seconds` is of the server's process, in
steps of a hundredth; `bytes` are those of the web socket.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, WebSocket

from benchmarks._home import add_inferences, deployed
from tests.browser import ROOT, chromium, opened, server

INFERENCES = 100_000
ROUNDS = 5
PAGES = {
    "Overview": "Scones Unlimited",
    "Data": "Data",
    "Train & deploy": "Train & deploy",
    "Workflow": "Workflow",
    "Monitor": "Monitor",
    "Review": "Review",
    "Models": "Models",
    "Settings": "Settings",
}
_PEER = """import streamlit as st

def page(name):
    def show():
        st.title(name, anchor=False)
        st.button("Begin")
    show.__name__ = name.lower()
    return st.Page(show, title=name)

st.navigation([page("One"), page("Two")]).run()
"""


def run() -> dict[str, Any]:
    """Figures per page, and their ratio to the bare page's seconds. Takes about three minutes."""
    with chromium() as browser, deployed() as app:
        add_inferences(app, 0, INFERENCES)
        ours = _measured(browser, ROOT / "streamlit_app.py", app.settings.home, PAGES)
        with tempfile.TemporaryDirectory() as name:
            peer = Path(name) / "peer.py"
            peer.write_text(_PEER, "utf-8")
            bare = _measured(browser, peer, Path(name), {"One": "One", "Two": "Two"})["Two"]
    ratios = {name: figures["seconds"] / bare["seconds"] for name, figures in ours.items()}
    return {"inferences": INFERENCES, "pages": ours, "bare_page": bare, "ratio": ratios}


def _measured(browser: Browser, script: Path, home: Path, pages: dict[str, str]) -> dict[str, dict[str, float]]:
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in pages}
    with server(home, script) as (address, process):
        page = opened(browser, address)
        received = _received(page)
        page.reload()
        page.locator("h1").first.wait_for()
        for _ in range(ROUNDS + 1):
            for name, heading in reversed(pages.items()):
                cpu, bytes_before, started = _cpu_seconds(process), received[0], time.perf_counter()
                _open(page, name, heading)
                figures = (time.perf_counter() - started, _cpu_seconds(process) - cpu, received[0] - bytes_before)
                found[name].append(figures)
        page.context.close()
    return {name: _medians(rounds[1:]) for name, rounds in found.items()}


def _open(page: Page, name: str, heading: str) -> None:
    page.get_by_test_id("stSidebarNavLink").filter(has_text=name).first.click()
    page.get_by_role("heading", level=1, name=heading, exact=True).wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def _received(page: Page) -> list[int]:
    """The bytes that the page's web sockets have received so far, as its only item."""
    total = [0]

    def follow(socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: total.__setitem__(0, total[0] + len(payload)))

    page.on("websocket", follow)
    return total


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _medians(rounds: list[tuple[float, float, float]]) -> dict[str, float]:
    seconds, cpu, received = (statistics.median(values) for values in zip(*rounds, strict=True))
    return {"seconds": seconds, "cpu_seconds": cpu, "bytes": received}
