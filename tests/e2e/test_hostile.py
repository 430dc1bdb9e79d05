"""What one user or file brings reaches others as text."""

import base64
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from scones_core.bootstrap import open_app
from scones_core.errors import SconesError
from scones_core.services import capture, classification, deployment, etl, monitoring, registration, review, training
from scones_core.settings import Settings
from tests.conftest import png
from tests.e2e.driving import open_every_page, settle, window
from tests.warm_server import served

pytestmark = pytest.mark.e2e
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


def hostile_captures() -> bytes:
    """Lines with a hostile text in each place: most are put aside, the last is an inference without class names."""
    image = {"data": base64.b64encode(png(7, upright=True)).decode(), "observedContentType": "image/png"}
    answer = {"data": "[0.7, 0.3]", "observedContentType": "application/json", "encoding": "JSON"}
    lines = []
    for i, text in enumerate(HOSTILE):
        right = {"input": {**image, "encoding": "BASE64"}, "output": dict(answer)}
        for part, key in (("input", "encoding"), ("output", "data"), ("output", "encoding"), ("input", "data")):
            wrong = {**right, part: {**right[part], key: text}}
            lines.append(line(f"{text}{i}", wrong))
    return "".join([*lines, line(HOSTILE[2], {"input": {**image, "encoding": "BASE64"}, "output": answer})]).encode()


def line(event: str, parts: dict[str, dict[str, str]]) -> str:
    data = {
        "endpointInput": {**parts["input"], "mode": "INPUT"},
        "endpointOutput": {**parts["output"], "mode": "OUTPUT"},
    }
    about = {"eventId": event, "inferenceTime": "2026-01-01T10:00:00Z"}
    return json.dumps({"captureData": data, "eventMetadata": about, "eventVersion": "0"}) + "\n"


def hostile_machine() -> dict[str, Any]:
    """It passes through states with hostile names and fails with a hostile error."""
    names = [text[:80] for text in HOSTILE]
    states = {name: {"Type": "Pass", "Comment": name, "Next": after} for name, after in pairwise(names)}
    states[names[-1]] = {"Type": "Fail", "Error": HOSTILE[1], "Cause": " ".join(HOSTILE)}
    return {"Comment": " ".join(HOSTILE), "StartAt": names[0], "States": states}


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
    capture.ingest_files(app, [hostile_captures()])
    app.backend.machines.put("hostile", hostile_machine())
    app.backend.workflows.start("hostile", "hostile", {"s3_key": HOSTILE[1], HOSTILE[2]: HOSTILE})
    try:
        etl.load(app, f"/nowhere/{AS_NAMES[0]}")
    except SconesError as error:
        assert AS_NAMES[0] in str(error)  # noqa: PT017
    app.close()
    return folder / "home"


class Watch:
    """Sees to it that a page asks nobody else for anything, links to nobody else and runs nothing that was brought."""

    def __init__(self, page: Page, url: str) -> None:
        self._page, self._url = page, url
        self._asked: list[str] = []
        page.on("request", lambda request: self._asked.append(request.url))

    def check(self) -> None:
        settle(self._page)
        assert self._page.evaluate("window.hit") is None
        links = self._page.locator("a").evaluate_all("links => links.map(link => link.href)")
        assert not [link for link in links if not link.startswith((f"{self._url}/", "https://github.com/caronc"))]
        sources = self._page.locator("img").evaluate_all("images => images.map(image => image.src)")
        assert not [source for source in sources if source and not source.startswith((f"{self._url}/media/", "data:"))]
        assert not [address for address in self._asked if not address.startswith((f"{self._url}/", "data:", "blob:"))]


def fill(page: Page) -> None:
    """Type hostile texts into each field of the page, all of them at once where so much is taken."""
    fields = page.locator("[data-testid=stTextInput] input:enabled, [data-testid=stTextArea] textarea:enabled")
    for number, field in enumerate(fields.all()):
        longest = int(field.get_attribute("maxlength") or 100_000)
        everything = " ".join(HOSTILE)
        field.fill(everything if len(everything) <= longest else HOSTILE[number % len(HOSTILE)][:longest])
        field.press("Control+Enter")
        settle(page)


def test_nothing_that_anybody_brought_links_loads_or_runs(browser: Browser, tmp_path: Path) -> None:
    with served(hostile_home(tmp_path)) as url:
        page = window(browser, url, height=1600, reviewer=None)
        watch = Watch(page, url)
        for name in open_every_page(page):
            if name == "workflow":
                page.goto("/workflow?execution=" + HOSTILE[0] + HOSTILE[4])
            if name == "review":
                page.get_by_label("Reviewer").fill(HOSTILE[0])
                page.get_by_role("button", name="Start reviewing").click()
                expect(page.locator(".desk")).to_be_visible()
            if name == "models":
                page.get_by_role("button", name="v1").first.or_(page.get_by_text("v1").first).wait_for()
            watch.check()
        page.context.close()


def load_images(page: Page) -> None:
    page.goto("/data")
    page.get_by_text("Choose a source of images").click()
    page.get_by_role("radio", name="Path").click()
    page.get_by_role("textbox", name="Folder, archive or label file").wait_for()
    fill(page)
    page.get_by_role("button", name="Load images").click()
    expect(page.get_by_test_id("stAlert").first).to_be_visible()


def start_batch(page: Page) -> None:
    page.goto("/workflow?part=batch")
    page.get_by_role("radio", name="A prefix").click()
    page.get_by_role("textbox", name="Key prefix").wait_for()
    fill(page)
    page.get_by_role("button", name="Start batch").click()
    expect(page.get_by_test_id("stAlert").first).to_be_visible()


def save_machine(page: Page) -> None:
    page.goto("/workflow?part=machines")
    page.get_by_role("tab", name="Edit a copy").click()
    page.get_by_role("textbox", name="Definition in the Amazon").wait_for()
    fill(page)
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_test_id("stAlert").first).to_be_visible()


def look_at_execution(page: Page) -> None:
    page.goto("/workflow?execution=hostile")
    page.get_by_text("History (").click()
    page.get_by_text("States in words").click()


def import_execution(page: Page) -> None:
    details = {"name": HOSTILE[1], "input": json.dumps({"s3_key": HOSTILE[1]})}
    failed = {"error": HOSTILE[2], "cause": " ".join(HOSTILE)}
    events = [
        {"id": 1, "type": "ExecutionStarted", "timestamp": 1.7e9, "executionStartedEventDetails": {"input": "{}"}},
        {"id": 2, "type": "PassStateEntered", "timestamp": 1.7e9, "stateEnteredEventDetails": details},
        {"id": 3, "type": "ExecutionFailed", "timestamp": 1.7e9, "executionFailedEventDetails": failed},
    ]
    page.goto("/workflow?part=import")
    file = {"name": HOSTILE[2] + ".json", "mimeType": "application/json", "buffer": b""}
    page.locator("input[type=file]").set_input_files({**file, "buffer": json.dumps({"events": events}).encode()})
    expect(page.get_by_text("History (3 events)")).to_be_visible()


def upload_picture(page: Page) -> None:
    page.goto("/workflow")
    page.get_by_role("radio", name="Upload").click()
    name = HOSTILE[2].replace("/", "_") + ".png"
    picture = {"name": name, "mimeType": "image/png", "buffer": png(3, upright=True)}
    page.locator("input[type=file]").set_input_files(picture)
    page.get_by_role("button", name="Start 1 execution").click()
    expect(page.get_by_test_id("stAlert").first).to_be_visible()


def note_and_decide(page: Page) -> None:
    page.goto("/review")
    page.get_by_label("Reviewer").fill(HOSTILE[2])
    page.get_by_role("button", name="Start reviewing").click()
    page.get_by_label("Note", exact=True).fill(" ".join(HOSTILE)[:500])
    page.locator(".desk").press("Escape")
    page.keyboard.press("1")
    expect(page.locator(".desk")).to_be_visible()


def name_classes(page: Page) -> None:
    page.goto("/monitor")
    page.get_by_role("textbox", name="Class names, in the order").fill(f"{HOSTILE[2]}, {HOSTILE[1]}")
    page.get_by_role("textbox", name="Class names, in the order").press("Enter")
    settle(page)
    page.get_by_role("button", name="Name the classes").click()
    expect(page.get_by_test_id("stAlert").first).to_be_visible()


def test_nothing_that_is_typed_or_uploaded_links_loads_or_runs(browser: Browser, tmp_path: Path) -> None:
    with served(hostile_home(tmp_path)) as url:
        page = window(browser, url, height=1600, reviewer=None)
        watch = Watch(page, url)
        for step in (
            load_images,
            start_batch,
            save_machine,
            look_at_execution,
            import_execution,
            upload_picture,
            note_and_decide,
            name_classes,
        ):
            step(page)
            watch.check()
        for _name in open_every_page(page):  # and what it left for everybody else
            watch.check()
        page.context.close()
