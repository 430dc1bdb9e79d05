"""A person goes through the whole loop, in a browser, on the generated sample."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scones_core.bootstrap import open_app
from scones_core.services import deployment, review
from scones_core.settings import Settings
from tests.e2e.driving import LONG, desk_of, press, visit
from tests.unit.test_ingest import line

pytestmark = pytest.mark.e2e


def test_the_whole_loop_by_hand(page: Page, tmp_path: Path):
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Scones Unlimited")

    visit(page, "Data")
    press(page, "Load images")
    expect(page.get_by_text("generated sample").first).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("bicycle")).first).to_be_visible()

    visit(page, "Train & deploy")
    press(page, "Start training")
    expect(page.get_by_text("Model version v1 on the test images")).to_be_visible(timeout=LONG)
    press(page, "Deploy")
    expect(page.get_by_text("InService")).to_be_visible()

    visit(page, "Workflow")
    page.get_by_role("button", name=re.compile("^Start 20 executions")).click()
    expect(page.get_by_text(re.compile("20 executions (have )?ended|20 of 20|20 images")).first).to_be_visible()

    visit(page, "Monitor")
    expect(page.get_by_text("Confidence over time")).to_be_visible()
    expect(page.locator("[data-testid=stVegaLiteChart]").locator("canvas, svg").first).to_be_visible()
    expect(page.get_by_test_id("stMetric").filter(has_text="Captured")).to_contain_text("20")

    visit(page, "Review")
    page.get_by_label("Reviewer").fill("Ann")
    press(page, "Start reviewing")
    desk = desk_of(page)  # before it has an image, it hears no key
    for decided, key in enumerate(("1", "2", "1"), start=1):
        before = desk.get_attribute("data-item")
        page.keyboard.press(key)
        expect(desk).not_to_have_attribute("data-item", before or "")
        expect(desk).to_have_attribute("data-unsaved", "0")
        expect(page.get_by_text(f"{decided} of ").first).to_be_visible()
        page.wait_for_timeout(400)  # a person looks; the same key at once would count as one press

    visit(page, "Models")
    press(page, "Retrain")
    expect(page.get_by_role("button", name="Promote v2")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("McNemar p, mid-p")).to_be_visible()
    press(page, "Promote v2")
    press(page, "Yes, promote v2")
    expect(page.get_by_role("button", name="Roll back to v1")).to_be_enabled()
    press(page, "Roll back to v1")
    press(page, "Yes, roll back to v1")
    expect(page.get_by_role("button", name="Roll back", exact=True)).to_be_disabled()

    with_hands_off = open_app(Settings(home=tmp_path / "home"))
    assert [row["reviewer"] for row in review.reviewed(with_hands_off)] == ["Ann"] * 3
    assert [change.model for change in deployment.history(with_hands_off)] == [1, 2, 1]
    with_hands_off.close()


def test_every_empty_page_says_what_to_do(page: Page):
    page.goto("/")
    for name in ("Data", "Train & deploy", "Workflow", "Monitor", "Review", "Models", "Settings"):
        visit(page, name)
        assert len(page.get_by_test_id("stMain").inner_text()) > 80, name
        expect(page.get_by_test_id("stException")).to_have_count(0)


def test_captures_of_another_endpoint_are_imported_into_an_empty_home(page: Page):
    page.goto("/")
    page.get_by_role("button", name="Import captures").click()
    captures = {"name": "a.jsonl", "mimeType": "application/json", "buffer": line("a") + line("b", confidence=0.95)}
    page.locator("input[type=file]").set_input_files(captures)
    page.get_by_role("textbox", name="Class names").fill("bicycle, motorcycle")
    page.get_by_role("textbox", name="Class names").press("Enter")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("2 inferences imported")).to_be_visible()
    page.goto("/monitor")
    expect(page.get_by_text("Confidence over time").first).to_be_visible()
