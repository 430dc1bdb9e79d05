"""A damaged home still opens on every page, and an app that everybody could reach does not start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import ROOT
from tests.e2e.driving import open_every_page, window
from tests.unit.captured_world import copied
from tests.warm_server import served

pytestmark = pytest.mark.e2e


def test_every_page_opens_on_a_damaged_home_and_says_what_it_lacks(
    browser: Browser, captured_folder: Path, tmp_path: Path
) -> None:
    home = copied(captured_folder, tmp_path)
    captures = next((home / "objects" / "captures").rglob("*.jsonl"))
    captures.write_bytes(captures.read_bytes()[:-4000] + b"\x00{half")
    next((home / "objects" / "pool").glob("*.png")).unlink()
    endpoint = home / "endpoints" / "scones-unlimited.json"
    whole = endpoint.read_bytes()
    endpoint.write_bytes(whole[: len(whole) // 2])
    with served(home) as url:
        page = window(browser, url, height=1600, reviewer=None)
        for name in open_every_page(page):
            expect(page.get_by_text("endpoints/scones-unlimited.json").first).to_be_visible()
            assert page.get_by_test_id("stException").count() == 0, name
            assert page.get_by_text("Oh no").count() == 0, name
        page.context.close()


def test_beyond_this_machine_the_app_does_not_start_without_sign_in(
    trained_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py"), "--server.address=0.0.0.0"]
    environment = {**os.environ, "SCONES_HOME": str(trained_home), "PYTHONPATH": str(ROOT)}
    refused = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert refused.returncode == 1
    assert "does not start: it would be reachable from other machines (0.0.0.0) without sign-in" in refused.stderr
    assert "Traceback" not in refused.stderr
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    monkeypatch.setenv("SCONES_WITHOUT_SIGN_IN", "true")
    with served(trained_home):
        pass
