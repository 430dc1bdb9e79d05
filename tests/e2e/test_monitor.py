"""Monitor in a real browser: filter, select in the charts, look at the images, send them to Review, come back."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from scones_core.bootstrap import open_app
from scones_core.services import classification
from scones_core.settings import Settings
from tests.e2e.driving import settle, window
from tests.unit.captured_world import IMAGES, copied
from tests.warm_server import served

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def home(captured_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(captured_folder, tmp_path_factory.mktemp("monitored"))


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with served(home) as address:
        yield address


def chart(page: Page, begins: str) -> Locator:
    return page.locator(f'[data-testid=stVegaLiteChart][aria-label^="{begins}"]')


def selected(page: Page) -> str:
    """The heading of the images, such as: 4 selected: bicycle inferences by Model v1."""
    settle(page)
    return page.get_by_role("heading", name=re.compile(r"selected:")).inner_text()


def counted(page: Page) -> int:
    return int(selected(page).split()[0].replace(",", ""))


def dragged(page: Page, over: Locator) -> None:
    """Drag across a chart, to its very end: on a slow machine its few points may lie seconds apart."""
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.15, height)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, height, steps=5)
    page.mouse.move(box["x"] + box["width"] * 0.99, height, steps=5)
    page.mouse.up()


def test_from_a_filter_to_the_images_to_review_and_back(browser: Browser, url: str):
    page = window(browser, url)
    page.goto("/monitor")
    settle(page)
    page.get_by_label("Model", exact=True).click()
    page.get_by_role("option", name="Model v1").click()
    expect(page).to_have_url(re.compile("monitor_model=Model.v1"))
    settle(page)
    page.get_by_label("Predicted class", exact=True).click()
    page.get_by_role("option", name="bicycle").click()
    expect(page).to_have_url(re.compile("monitor_class=bicycle"))
    expect(page.get_by_role("heading", name=re.compile("selected: bicycle inferences by Model v1"))).to_be_visible()
    of_class = counted(page)
    assert 0 < of_class < IMAGES

    dragged(page, chart(page, "Confidence over time"))
    expect(page).to_have_url(re.compile("monitor_selected_from="))
    expect(page.get_by_role("button", name="Zoom in")).to_be_enabled()
    settle(page)
    bars = chart(page, "Histogram")
    bars.scroll_into_view_if_needed()
    box = bars.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    expect(page).to_have_url(re.compile("monitor_up_to=1.0"))
    here, view = page.url, selected(page)
    assert "confidence above" in view
    assert 0 < counted(page) <= of_class
    expect(page.get_by_test_id("stImage").locator("img").last).to_be_visible()

    other = window(browser, url)
    other.goto(here)
    settle(other)
    expect(other.get_by_role("heading", name=re.compile("selected:"))).to_have_text(view)

    page.get_by_role("button", name="Review these").click()
    page.get_by_role("link", name=re.compile("Open the queue of")).click()
    expect(page).to_have_url(re.compile(r"review\?queue=\d+"))
    settle(page)
    expect(page.get_by_role("heading", name=re.compile("Monitor: bicycle inferences"))).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile("monitor_class=bicycle"))
    expect(page).not_to_have_url(re.compile("queue="))
    expect(page.get_by_role("heading", name=re.compile("selected:"))).to_have_text(view)

    page.get_by_role("button", name="Zoom in").click()
    expect(page).to_have_url(re.compile("monitor_from="))
    expect(page).not_to_have_url(re.compile("monitor_selected_from="))
    assert "from" in selected(page)
    for each in (page, other):
        each.context.close()


def test_what_is_selected_is_exported_and_read_again(browser: Browser, url: str):
    page = window(browser, url)
    page.goto("/monitor?monitor_class=motorcycle")
    settle(page)
    many = counted(page)
    files = {}
    for name in ("Export CSV", "Export JSON Lines"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        files[name] = download.value.path().read_text()
    rows = list(csv.DictReader(io.StringIO(files["Export CSV"])))
    records = [json.loads(line) for line in files["Export JSON Lines"].splitlines()]
    assert len(rows) == len(records) == many
    for row, record in zip(rows, records, strict=True):
        assert row["prediction"] == record["prediction"] == "motorcycle"
        assert (row["event_id"], float(row["confidence"])) == (record["event_id"], max(record["probabilities"]))
    page.context.close()


def test_a_time_that_cannot_be_read_is_said_and_the_page_stays(browser: Browser, url: str):
    page = window(browser, url)
    page.goto("/monitor?monitor_from=yesterday")
    settle(page)
    expect(page.get_by_text("“yesterday” is not a time")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_text("“yesterday” is not a time")).to_have_count(0)
    assert counted(page) == IMAGES
    page.context.close()


def test_new_captures_appear_while_the_page_is_open(browser: Browser, home: Path, url: str):
    page = window(browser, url)
    page.goto("/monitor")
    settle(page)
    before = counted(page)
    app = open_app(Settings(home=home))
    classification.classify(app, classification.sample_keys(app, 3, seed=1))
    app.close()
    more = page.get_by_role("heading", name=f"{before + 3} selected: all inferences")
    expect(more).to_be_visible()
    page.context.close()
