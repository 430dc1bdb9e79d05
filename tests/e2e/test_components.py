"""The components that run in the browser: the review desk and the graph of a state machine."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from scones_core.bootstrap import open_app
from scones_core.services import likeness
from scones_core.settings import Settings
from tests.e2e.driving import desk_of, saved, window
from tests.unit.captured_world import IMAGES, copied
from tests.unit.test_label_import import wiped
from tests.warm_server import served

pytestmark = pytest.mark.e2e
A_LOOK = 400  # milliseconds; the same key sooner counts as one press


@pytest.fixture(scope="module")
def home(captured_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(captured_folder, tmp_path_factory.mktemp("components"))


@pytest.fixture(scope="module")
def shared_window(browser: Browser, home: Path) -> Iterator[tuple[Page, list[str]]]:
    """A window on an app that has captured inferences, and the errors of scripts in it."""
    errors: list[str] = []
    with served(home) as url:
        page = window(browser, url, height=1200, reviewer=None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page, errors
        page.context.close()


@pytest.fixture
def page(shared_window: tuple[Page, list[str]]) -> Iterator[Page]:
    """The window; an error of a script on the page fails the test."""
    page, errors = shared_window
    yield page
    assert not errors


@pytest.fixture
def desk(page: Page, home: Path) -> Locator:
    """The desk of somebody new to the browser, where nobody has decided anything."""
    app = open_app(Settings(home=home))
    wiped(app)
    app.close()
    page.context.clear_cookies()
    page.goto("/review")
    page.get_by_label("Reviewer").fill("Ann")
    page.get_by_role("button", name="Start reviewing").click()
    desk = desk_of(page)
    page.wait_for_timeout(A_LOOK)
    return desk


def decisions(home: Path) -> list[tuple[str, str | None, str]]:
    with closing(sqlite3.connect(home / "scones.db")) as connection:
        return connection.execute("SELECT action, label, note FROM decisions ORDER BY id").fetchall()


def test_a_double_press_labels_one_image(desk: Locator, page: Page, home: Path) -> None:
    twice = (
        "keyboard => { for (const key of '11') document.body.dispatchEvent(new KeyboardEvent('keydown', keyboard)) }"
    )
    page.evaluate(twice, {"key": "1", "bubbles": True, "composed": True})  # no machine is too busy to press this fast
    saved(desk)
    assert decisions(home) == [("label", "bicycle", "")]


def test_fast_presses_of_other_keys_label_one_image_each(desk: Locator, page: Page, home: Path) -> None:
    for key in "121":
        page.keyboard.press(key)
    saved(desk)
    assert [label for _, label, _ in decisions(home)] == ["bicycle", "motorcycle", "bicycle"]
    expect(page.get_by_text(re.compile("^3 of "))).to_be_visible()


def test_undo_brings_the_same_image_back_at_once(desk: Locator, page: Page, home: Path) -> None:
    first = desk.get_attribute("data-item") or ""
    page.keyboard.press("2")
    expect(desk).not_to_have_attribute("data-item", first)
    page.keyboard.press("u")
    assert desk.get_attribute("data-item") == first
    saved(desk)
    expect(desk).to_have_attribute("data-item", first)
    assert [action for action, _, _ in decisions(home)] == ["label", "undo"]


def test_a_note_is_typed_without_deciding_and_goes_with_the_decision(desk: Locator, page: Page, home: Path) -> None:
    first = desk.get_attribute("data-item") or ""
    page.keyboard.press("n")
    page.keyboard.type("1 wheel, 2 lamps")
    expect(desk).to_have_attribute("data-item", first)
    page.keyboard.press("Escape")
    page.keyboard.press("0")
    saved(desk)
    assert decisions(home) == [("label", "/other", "1 wheel, 2 lamps")]


def test_buttons_do_what_keys_do(desk: Locator, page: Page, home: Path) -> None:
    for name in ("motorcycle", "Skip", "Undo"):
        desk.get_by_role("button", name=name, exact=True).click()
        saved(desk)
    assert [action for action, _, _ in decisions(home)] == ["label", "skip", "undo"]


def test_the_last_image_leaves_a_word_and_a_way_back(desk: Locator, page: Page) -> None:
    for number in range(IMAGES):
        page.keyboard.press("12"[number % 2])
        saved(desk)
    expect(desk.get_by_text("Nothing left to review.")).to_be_visible()
    page.keyboard.press("u")
    expect(desk).to_have_attribute("data-item", re.compile(".+"))


def test_a_state_is_chosen_in_the_graph_by_mouse_and_by_keyboard(page: Page) -> None:
    page.goto("/workflow")
    first = page.get_by_role("button", name=re.compile("^Serialize Image Data, Task, succeeded$"))
    first.click()
    expect(page.get_by_role("heading", name="Serialize Image Data")).to_be_visible()
    second = page.get_by_role("button", name=re.compile("^Image Classification, Task, succeeded$"))
    second.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Image Classification")).to_be_visible()
    expect(second).to_have_attribute("aria-pressed", "true")


def test_images_alike_are_shown_and_a_lasso_on_the_map_selects_images(page: Page, home: Path) -> None:
    app = open_app(Settings(home=home))
    likeness.update(app)
    app.close()
    page.goto("/data")
    page.get_by_role("button", name="Alike").first.click()
    expect(page.get_by_text(re.compile("^The 24 most alike of"))).to_be_visible()
    expect(page.get_by_role("dialog").get_by_role("img", name=re.compile("cosine 0")).first).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Map").click()
    page.get_by_role("button", name="Make the map").click()
    expect(page.get_by_text(re.compile("Choose the lasso"))).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    plot = page.get_by_test_id("stEChartsChart").locator("canvas").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 24, box["y"] + 27)  # the lasso
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    for x, y in ((0.9, 0.2), (0.9, 0.95), (0.5, 0.7), (0.1, 0.95), (0.1, 0.2)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)
    page.mouse.up()
    expect(page.get_by_text(re.compile("^[0-9]+ selected$"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Exclude [0-9]+ images$"))).to_be_visible()
