"""The app, or any Streamlit script, on a free port, and a headless Chromium to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from playwright.sync_api import Browser, Page, sync_playwright

from scones_core.errors import Unavailable

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "streamlit_app.py"
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


class Started(Protocol):
    """A server's process: `subprocess.Popen`, or one like it."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def terminate(self) -> None: ...
    def wait(self, timeout: float) -> int | None: ...


def started(options: Sequence[str], environment: Mapping[str, str]) -> Started:
    """A process of `streamlit` with these options."""
    command, quiet = [sys.executable, "-m", "streamlit", *options], subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)


Start = Callable[[Sequence[str], Mapping[str, str]], Started]


@contextmanager
def served(home: Path, script: Path = APP, *, start: Start = started) -> Iterator[str]:
    """The address of the app, or another script, with this home; it answers from then on. Raises Unavailable."""
    with server(home, script, start=start) as (address, _process):
        yield address


@contextmanager
def server(
    home: Path, script: Path = APP, port: int | None = None, *, start: Start = started
) -> Iterator[tuple[str, int]]:
    """As `served`, with the id of the server's process; on a free port unless one is given."""
    port = port or free_port()
    options = ["run", str(script), "--server.port", str(port), "--server.headless", "true"]
    environment = {**os.environ, "SCONES_HOME": str(home), "PYTHONPATH": str(ROOT)}
    process = start([*options, "--server.fileWatcherType", "none"], environment)
    try:
        yield _until_healthy(f"http://127.0.0.1:{port}", process), process.pid
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def _until_healthy(address: str, process: Started) -> str:
    """The server's address, once it answers. Raises Unavailable."""
    for _ in range(6000):
        if process.poll() is not None:
            raise Unavailable("The app ended while it started: run `streamlit run streamlit_app.py` to see why.")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return address
        except OSError:
            time.sleep(0.01)
    raise Unavailable("The app did not start within a minute.")


def opened(browser: Browser, address: str) -> Page:
    """A window of 1440 × 900 on the address."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(address)
    return page
