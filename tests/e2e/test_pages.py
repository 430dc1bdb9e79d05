"""Every page, empty, filled by the demo, and full: no dead end, exception, console error, cut label or "null"."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from scones_core.ui.shell.navigation import PageName
from tests.e2e.driving import desk_of, open_every_page, settle, visit, window
from tests.unit.captured_world import copied
from tests.warm_server import served

pytestmark = pytest.mark.e2e

T = TypeVar("T")
LABELS = [name.label for name in PageName]
STREAMLITS_OWN = {"list", "listitem"}  # its navigation in the sidebar

# Texts that their own box cuts off, controls of our components beyond the window's edge, tables that scroll sideways,
# and texts beyond their chart's edge (the box of a turned title is 2 pixels wider than its letters) or over each other.
CUT = r"""() => {
  const main = document.querySelector('[data-testid=stMain]')
  const ours = [...main.querySelectorAll('*')].filter(e => e.shadowRoot).map(e => e.shadowRoot)
  const texts = [...main.querySelectorAll(
    'p, label, button, input, [data-testid=stMetricLabel], [data-testid=stMarkdownContainer], .stMarkdownEllipsis'),
    ...ours.flatMap(root => [...root.querySelectorAll('p, button, input, span')])]
  const cut = e => e.scrollWidth > e.clientWidth + 1
    && (e.tagName === 'INPUT' || ['hidden', 'clip'].includes(getComputedStyle(e).overflowX))
  const beyond = e => e.getRootNode() !== document && e.matches('.desk button, .desk input, .grid button')
    && e.getBoundingClientRect().right > innerWidth
  const scrolls = e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible'
  const tables = [...main.querySelectorAll('[data-testid=stTable], [data-testid=stTable] *')].filter(scrolls)
  const charted = [...main.querySelectorAll('svg.marks')].flatMap(svg => {
    const inside = svg.getBoundingClientRect()
    const boxes = [...svg.querySelectorAll('text')]
      .filter(e => e.textContent.trim() && e.getAttribute('opacity') !== '0').map(e => [e, e.getBoundingClientRect()])
    const outside = ([, b]) => b.left < inside.left - 3 || b.right > inside.right + 3
      || b.top < inside.top - 3 || b.bottom > inside.bottom + 3
    const meet = ([, a], [, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2
    const straight = ([e]) => !/rotate\((?!0\))/.test(e.getAttribute('transform') || '')
    return boxes.filter((box, i) => outside(box)
      || straight(box) && boxes.slice(i + 1).some(other => straight(other) && meet(box, other))).map(([e]) => e)
  })
  return texts.filter(e => e.offsetParent && e.clientWidth > 0 && (cut(e) || beyond(e))).concat(tables, charted)
    .map(e => e.value || e.textContent)
}"""


@pytest.fixture(scope="module")
def full(captured_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app whose home has captures."""
    with served(copied(captured_folder, tmp_path_factory.mktemp("full"))) as url:
        yield url


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("empty") / "home") as url:
        yield url


def troubles(page: Page) -> list[str]:
    """Fills up with the errors of console and script. Streamlit probes each path for its own server, which is none."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def lasting(page: Page, look: Callable[[], list[T]]) -> list[T]:
    """What is still found after some looks: a page is not laid out in one step, and its colours fade in."""
    found = look()
    for _ in range(10):
        if not found:
            break
        page.wait_for_timeout(1000)
        found = look()
    return found


def serious(page: Page, *rules: str) -> list[tuple[str, str]]:
    """Serious findings of axe, by all of its rules or by these: (rule, element)."""
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = rules
    return [
        (violation["id"], node["html"])
        for violation in Axe().run(page, options=options).response["violations"]
        if violation["impact"] in ("serious", "critical") and violation["id"] not in STREAMLITS_OWN
        for node in violation["nodes"]
    ]


def looked_at(page: Page, name: str) -> None:
    settle(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    text = page.get_by_test_id("stMain").inner_text()
    assert not re.search(r"\b(null|undefined|NaN|nan|None)\b", text.replace("None yet", "")), (name, text)
    assert lasting(page, lambda: page.evaluate(CUT)) == [], name
    expect(page.locator('[role=img][aria-label$=" icon"]:not([aria-hidden=true])')).to_have_count(0)


def test_an_empty_page_offers_the_step_that_fills_it(browser: Browser, empty: str):
    page = window(browser, empty, width=1024)
    errors = troubles(page)
    page.goto("/")
    for name in LABELS:
        visit(page, name)
        looked_at(page, name)
        if name != "Settings":
            load = page.get_by_test_id("stMain").get_by_role("button", name="Load images", exact=True)
            expect(load).to_be_enabled()
    assert errors == []
    page.context.close()


def charts_as_tables(page: Page) -> None:
    """Each chart has a button that shows its data as a table."""
    charts = page.get_by_test_id("stVegaLiteChart")
    expect(page.get_by_role("button", name="Show data", include_hidden=True)).to_have_count(charts.count())


def test_a_charts_data_are_shown_by_keyboard(browser: Browser, full: str):
    page = window(browser, full)
    page.goto("/models")
    settle(page)
    matrix = page.get_by_role("button", name="Show data: Confusion matrix", include_hidden=True)
    for _ in range(200):
        if matrix.evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Show chart", include_hidden=True)).to_have_count(1)
    page.context.close()


def test_every_page_of_a_full_home_is_sound_and_can_be_read_by_everyone(browser: Browser, full: str):
    page = window(browser, full)
    errors = troubles(page)
    page.goto("/")
    for name in LABELS:
        visit(page, name)
        looked_at(page, name)
        assert lasting(page, lambda: serious(page)) == [], name
        charts_as_tables(page)
        assert name == "Overview" or page.title().startswith(name)
        assert name != "Models" or "JST" in page.get_by_test_id("stMain").inner_text()
        for width in (1280, 1024, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            fits_in(page, f"{name} at {width}")
    assert errors == []
    page.context.close()


def test_every_page_of_a_full_home_can_be_read_in_the_dark(browser: Browser, full: str):
    page = window(browser, full, color_scheme="dark")
    errors = troubles(page)
    page.goto("/")
    for name in LABELS:
        visit(page, name)
        looked_at(page, name)
        assert lasting(page, lambda: serious(page, "color-contrast")) == [], name
        if name == "Monitor":
            opened(page)
            assert lasting(page, lambda: serious(page, "color-contrast")) == [], "New audit"
            page.keyboard.press("Escape")
    assert errors == []
    page.context.close()


def test_a_click_on_the_confusion_matrix_shows_the_images_of_the_cell(browser: Browser, full: str):
    page = window(browser, full)
    page.goto("/models")
    settle(page)
    shown = page.get_by_role("combobox", name="Test images")
    expect(shown).to_have_value(re.compile("All errors"))
    matrix = page.locator("[data-testid=stVegaLiteChart][aria-label^='Confusion matrix']")
    box = matrix.bounding_box()
    assert box
    matrix.click(position={"x": box["width"] * 0.45, "y": box["height"] * 0.25})
    expect(shown).to_have_value(re.compile(r"bicycle, right \(\d+\)"))
    page.context.close()


def opened(page: Page) -> None:
    """The form of a new audit, on the page Monitor."""
    page.get_by_role("button", name="New audit").click()
    expect(page.get_by_text("Drawn from the inferences")).to_be_visible()


def test_what_opens_on_a_page_can_be_read_by_everyone(browser: Browser, full: str):
    page = window(browser, full)
    page.goto("/monitor")
    opened(page)
    assert lasting(page, lambda: serious(page)) == []
    page.context.close()


def fits_in(page: Page, name: str) -> None:
    looked_at(page, name)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name


def test_nothing_is_cut_on_a_phone(browser: Browser, full: str):
    page = window(browser, full, width=420)
    for _name in open_every_page(page):
        fits_in(page, page.url)
    page.context.close()


def test_the_demo_fills_every_page_in_a_home_of_its_own(browser: Browser, tmp_path: Path):
    with served(tmp_path / "home") as url:
        page = window(browser, url)
        page.goto("/")
        page.get_by_role("button", name="Run the guided demo").click()
        expect(page.get_by_role("button", name="Run it again")).to_be_visible(
            timeout=900_000
        )  # half a minute when idle
        expect(page.get_by_text(re.compile(r"Right on \d+ of 100 before, on \d+ after"))).to_be_visible()
        for name in LABELS:
            visit(page, name)
            expect(page.get_by_text("nothing here touches your models")).to_be_visible()
            looked_at(page, name)
        page.get_by_role("button", name="Leave the demo").click()
        expect(page.get_by_role("button", name="Leave the demo")).to_have_count(0)
        visit(page, "Data")
        expect(page.get_by_text("No images yet.")).to_be_visible()
        visit(page, "Overview")
        page.get_by_role("button", name="Delete the demo").click()
        expect(page.get_by_role("button", name="Open the demo")).to_have_count(0)
        assert not list((tmp_path / "home" / "demo").glob("*"))


def test_a_name_is_remembered_by_the_browser_and_keys_label_at_once(
    browser: Browser, captured_folder: Path, tmp_path: Path
):
    home = copied(captured_folder, tmp_path)
    with served(home) as url:
        page = window(browser, url)
        page.context.clear_cookies()
        page.goto("/review")
        page.get_by_label("Reviewer").fill("Cleo")
        page.get_by_role("button", name="Start reviewing").click()
        desk = desk_of(page)
        before = desk.get_attribute("data-item")
        page.keyboard.press("1")
        expect(desk).not_to_have_attribute("data-item", before or "")
        page.reload()
        expect(page.get_by_text("You are Cleo")).to_be_visible()
        desk_of(page)
        page.get_by_text("Keyboard shortcuts").click()
        settle(page)
        before = page.locator(".desk").get_attribute("data-item")
        page.keyboard.press("2")
        settle(page)
        expect(page.locator(".desk")).to_have_attribute("data-item", before or "")
        page.context.close()
    shutil.rmtree(home)
