"""What one user or file brings reaches others as text, and a damaged home still opens on every page."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from scones_core.bootstrap import open_app
from scones_core.errors import SconesError
from scones_core.services import capture, classification, deployment, etl, monitoring, registration, review, training
from scones_core.settings import Settings
from tests.browser import ROOT, served
from tests.conftest import png
from tests.unit.captured_world import captured_home

pytestmark = pytest.mark.e2e
PAGES = ("", "data", "train", "workflow", "monitor", "review", "models", "settings")
HOSTILE = (
    "[Sign in](https://evil.example/login)",
    "![x](https://evil.example/a.png)",
    "<img src=https://evil.example/b.png onerror='window.hit=1'>",
    "<script>window.hit=1</script>",
    "https://evil.example/c and www.evil.example and a@evil.example",
    "<https://evil.example/d>",
    "[x][y]\n\n[y]: https://evil.example/e",
    "# heading\n- list\n| a | b |\n|-|-|",
    ":material/warning: :red[stop] $x^2$ :smile:",
    "javascript:window.hit=1",
)
AS_NAMES = ("![x](www.evil.example)", "[Sign in](javascript:hit)", "<img src=x onerror=hit()>", "www.evil.example")


def open_every_page(browser: Browser, url: str) -> Iterator[tuple[str, Page]]:
    for name in PAGES:
        context = browser.new_context(viewport={"width": 1440, "height": 1600}, base_url=url)
        context.set_default_timeout(240_000)
        page = context.new_page()
        page.goto(f"/{name}")
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        expect(page.locator("[data-test-script-state=notRunning]")).to_be_attached()
        yield name, page
        context.close()


def hostile_home(folder: Path) -> Path:
    """A home in which every text that somebody can bring is hostile."""
    images = folder / HOSTILE[4].replace("/", "_")
    for split, offset in (("train", 0), ("test", 100), ("pool", 200)):
        for index, name in enumerate(AS_NAMES[:2]):
            (images / split / name).mkdir(parents=True)
            for i in range(12):
                file = images / split / name / f"{AS_NAMES[(i + 2) % 4]}_{split}_{index}_{i}.png"
                file.write_bytes(png(offset + i + 50 * index, upright=index == 0))
    app = open_app(Settings(home=folder / "home"))
    etl.load(app, str(images))
    registration.wait(app, training.start(app).name)
    for actor in HOSTILE:
        deployment.deploy(app, actor=actor)
    monitoring.set_threshold(app, 0.99, actor=HOSTILE[0])
    classification.classify(app, classification.sample_keys(app, 12))
    capture.ingest(app)
    for reviewer in HOSTILE:
        for item in review.next_items(app, reviewer)[:1]:
            review.decide(app, item.id, AS_NAMES[0], reviewer, note=reviewer)
    capture.ingest_files(app, [b'{"eventId": "<img src=x>", "captureData": {}}\n'])
    try:
        etl.load(app, f"/nowhere/{AS_NAMES[0]}")
    except SconesError as error:
        assert AS_NAMES[0] in str(error)  # noqa: PT017
    app.close()
    return folder / "home"


def test_nothing_that_anybody_brought_links_loads_or_runs(browser: Browser, tmp_path: Path) -> None:
    asked: list[str] = []
    with served(hostile_home(tmp_path)) as url:
        for name, page in open_every_page(browser, url):
            page.on("request", lambda request: asked.append(request.url))
            if name == "workflow":
                page.goto("/workflow?execution=" + HOSTILE[0] + HOSTILE[4])
                expect(page.locator("[data-test-script-state=notRunning]")).to_be_attached()
            if name == "review":
                page.get_by_label("Reviewer").fill(HOSTILE[0])
                page.get_by_role("button", name="Start reviewing").click()
                expect(page.locator(".desk")).to_be_visible()
            if name == "models":
                page.get_by_role("button", name="v1").first.or_(page.get_by_text("v1").first).wait_for()
            page.get_by_test_id("stSidebar").get_by_role("textbox").fill(HOSTILE[2])
            page.keyboard.press("Enter")
            expect(page.locator("[data-test-script-state=notRunning]")).to_be_attached()
            assert page.evaluate("window.hit") is None, name
            links = page.locator("a").evaluate_all("links => links.map(link => link.href)")
            assert not [link for link in links if not link.startswith((f"{url}/", "https://github.com/caronc"))], name
            sources = page.locator("img").evaluate_all("images => images.map(image => image.src)")
            assert not [source for source in sources if source and not source.startswith((f"{url}/media/", "data:"))], (
                name
            )
    assert not [address for address in asked if not address.startswith((f"{url}/", "data:", "blob:"))]


def test_every_page_opens_on_a_damaged_home_and_says_what_it_lacks(
    browser: Browser, trained_home: Path, tmp_path: Path
) -> None:
    home = captured_home(trained_home, tmp_path)
    captures = next((home / "objects" / "captures").rglob("*.jsonl"))
    captures.write_bytes(captures.read_bytes()[:-4000] + b"\x00{half")
    next((home / "objects" / "pool").glob("*.png")).unlink()
    endpoint = home / "endpoints" / "scones-unlimited.json"
    whole = endpoint.read_bytes()
    endpoint.write_bytes(whole[: len(whole) // 2])
    with served(home) as url:
        for name, page in open_every_page(browser, url):
            expect(page.get_by_text("endpoints/scones-unlimited.json").first).to_be_visible()
            assert page.get_by_test_id("stException").count() == 0, name
            assert page.get_by_text("Oh no").count() == 0, name


def test_a_full_captures_folder_is_told_and_stops_no_inference(
    browser: Browser, trained_home: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(trained_home, home, symlinks=True)
    captures = home / "objects" / "captures"
    shutil.rmtree(captures, ignore_errors=True)
    captures.write_text("in the way", encoding="utf-8")
    with served(home) as url:
        for name, page in open_every_page(browser, url):
            assert page.get_by_test_id("stException").count() == 0, name
            if name == "settings":
                expect(page.get_by_text("not captured")).to_be_visible()


def test_beyond_this_machine_the_app_does_not_start_without_sign_in(
    trained_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py"), "--server.address=0.0.0.0"]
    environment = {**os.environ, "SCONES_HOME": str(trained_home), "PYTHONPATH": str(ROOT)}
    refused = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert refused.returncode == 1
    assert "does not start: it would listen beyond this machine (0.0.0.0) without sign-in" in refused.stderr
    assert "Traceback" not in refused.stderr
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    monkeypatch.setenv("SCONES_WITHOUT_SIGN_IN", "true")
    with served(trained_home):
        pass
