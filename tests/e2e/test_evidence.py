"""Traffic, then traffic in the dark: a person sees the alarm, audits, sets a promised threshold, saves the report."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from scones_core.bootstrap import open_app
from scones_core.domain.drift import SimulatedDrift
from scones_core.services import App, audits, capture, classification, monitoring, review, threshold
from scones_core.settings import Settings
from tests.e2e.driving import desk_of, press, settle, visit
from tests.unit.test_drift_watch import send
from tests.warm_server import served

pytestmark = pytest.mark.e2e
LABELS = 60


@pytest.fixture
def home(trained_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained_home, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


@pytest.fixture
def app_url(home: Path) -> Iterator[str]:
    with served(home) as url:
        yield url


@pytest.fixture
def app(home: Path) -> Iterator[App]:
    """Another process on the same home: traffic, and a look at what was recorded."""
    opened = open_app(Settings(home=home))
    yield opened
    opened.close()


def truth(app: App, event: str) -> str:
    """The known class of a captured image: the generated ones alternate."""
    number = int(capture.inference(app, event)["image_key"].rsplit("-", 1)[1].removesuffix(".png"))
    return "bicycle" if number % 2 == 0 else "motorcycle"


def known_accuracy(app: App) -> float:
    rows = monitoring.figures(app).points
    predicted = zip(rows["event_id"], rows["prediction"].astype(str), strict=True)
    return float(np.mean([truth(app, event) == name for event, name in predicted]))


def review_by_keyboard(page: Page, app: App, count: int) -> None:
    page.get_by_label("Reviewer").fill("Ann")
    press(page, "Start reviewing")
    for decided in range(1, count + 1):
        desk = desk_of(page)
        before = desk.get_attribute("data-item") or ""
        page.keyboard.press("1" if truth(app, before) == "bicycle" else "2")
        if decided < count:
            expect(desk).not_to_have_attribute("data-item", before)
        page.wait_for_timeout(350)  # a person looks; the same key at once would count as one press
    expect(page.get_by_text(f"{count} of {count} images of this queue decided")).to_be_visible()


def test_the_alarm_the_audit_the_promise_and_the_report(page: Page, browser: Browser, app: App, tmp_path: Path):
    send(app, 60)
    send(app, 80, SimulatedDrift.DARK, seed=1)
    page.goto("/")
    visit(page, "Monitor")
    expect(page.get_by_text(re.compile("Compared with the test images: .*brightness"))).to_be_visible()
    for when in ("before the drift", "since the drift"):
        expect(page.get_by_role("img", name=re.compile(f"Captured image . of 8 {when}"))).to_have_count(8)
    expect(page.get_by_text("Expected accuracy: unknown.")).to_be_visible()

    press(page, "New audit")
    page.get_by_label("Labels", exact=True).fill(str(LABELS))
    page.get_by_label("Labels", exact=True).press("Enter")
    settle(page)
    press(page, "Start audit")
    page.get_by_role("link", name=re.compile(f"Review the {LABELS} remaining images")).click()
    review_by_keyboard(page, app, LABELS)

    visit(page, "Monitor")
    expect(page.get_by_text(f"{LABELS} of {LABELS} labels")).to_be_visible()
    found = audits.measured(app, audits.audited(app))
    assert found is not None
    low, high = found.accuracy.interval
    assert low <= known_accuracy(app) <= high
    accuracy = page.get_by_test_id("stMetric").filter(has_text=re.compile("^Accuracy"))
    expect(accuracy).to_contain_text(f"{low:.1%} to {high:.1%}, {LABELS} labels")
    assert {row["strategy"] for row in review.reviewed(app)} == {"audit"}

    press(page, "Suggest a threshold")
    page.get_by_label("Maximum error rate (%)").fill("40")
    page.get_by_label("Maximum error rate (%)").press("Enter")
    settle(page)
    expect(page.get_by_text("the error rate in production is at most 40.0%")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Apply 0")).last.click()
    expect(page.get_by_text(re.compile("The threshold is now"))).to_be_visible()
    [change] = threshold.changes(app)
    assert change.evidence["about"] == "production"
    [obeyed] = classification.classify(app, ["traffic/none/0-0.png"])
    assert obeyed.status == ("SUCCEEDED" if (obeyed.confidence or 0) > change.threshold else "FAILED")
    assert app.backend.workflows.environment()["THRESHOLD"] == repr(change.threshold)

    captured = page.get_by_test_id("stMetric").filter(has_text="Captured inferences")
    expect(captured).to_contain_text("141")  # the page has read what was just sent, and stays as it is
    settle(page)
    with page.expect_download() as download:
        press(page, "Download evidence report")
    file = tmp_path / "evidence.html"
    download.value.save_as(file)
    offline = browser.new_context(offline=True).new_page()
    asked: list[str] = []
    offline.on("request", lambda request: asked.append(request.url.partition(":")[0]))
    offline.goto(file.as_uri())
    expect(offline.get_by_role("heading", level=1)).to_have_text("Evidence on v1")
    assert offline.locator("img").evaluate_all("all => all.length == 16 && all.every(one => one.naturalWidth > 0)")
    assert set(asked) <= {"file", "data"}
    offline.context.close()
