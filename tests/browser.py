"""The app, or any Streamlit script, on a free port, and a headless Chromium to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from scones_core.errors import Unavailable

ROOT = Path(__file__).resolve().parents[1]
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Raises Unavailable where there is none."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if not path:
        raise Unavailable("No Chromium was found: install it, or set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(home: Path, script: Path = ROOT / "streamlit_app.py") -> Iterator[str]:
    """The address of the app, or another script, with this home; it answers from then on. Raises Unavailable."""
    with server(home, script) as (address, _process):
        yield address


@contextmanager
def server(home: Path, script: Path = ROOT / "streamlit_app.py", port: int | None = None) -> Iterator[tuple[str, int]]:
    """As `served`, with the id of the server's process; on a free port unless one is given."""
    port = port or free_port()
    options = ["--server.port", str(port), "--server.headless", "true", "--server.fileWatcherType", "none"]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options]
    environment = {**os.environ, "SCONES_HOME": str(home), "PYTHONPATH": str(ROOT)}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)
    try:
        _until_healthy(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def _until_healthy(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(6000):
        if process.poll() is not None:
            raise Unavailable("The app ended while it started: run `streamlit run streamlit_app.py` to see why.")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.01)
    raise Unavailable("The app did not start within a minute.")


def opened(browser: Browser, address: str) -> Page:
    """A window of 1440 × 900 on the address."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(address)
    return page
