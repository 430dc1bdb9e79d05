"""How tests use the app in a browser: open a window, go to a page, press, wait."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from scones_core.ui.shell.navigation import PageName

LONG = 900_000  # milliseconds: training on a busy machine
OpenWindow = Callable[..., Page]


def window(
    browser: Browser, url: str, *, width: int = 1440, height: int = 900, reviewer: str | None = "Ann", **options: Any
) -> Page:
    """A window on the app, far from UTC, with nothing loaded yet; the reviewer is known to it, if one is given."""
    size = ViewportSize(width=width, height=height)
    context = browser.new_context(viewport=size, base_url=url, timezone_id="Asia/Tokyo", **options)
    context.set_default_timeout(240_000)
    if reviewer:
        context.add_cookies([{"name": "scones_user", "value": reviewer, "url": url}])
    return context.new_page()


def settle(page: Page) -> None:
    """Until the script has run."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def visit(page: Page, name: str) -> None:
    """Go to a page by the sidebar; as a person would, click again when a rerun has swallowed the click."""
    title = "Scones Unlimited" if name == "Overview" else name
    heading = page.get_by_role("heading", level=1, name=title, exact=True)
    for _ in range(3):
        settle(page)
        page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile(f"^.*{name}$")).click()
        with suppress(AssertionError):
            expect(heading).to_be_visible(timeout=LONG)
            break
    expect(heading).to_be_visible()
    settle(page)


def desk_of(page: Page) -> Locator:
    """The desk of the page Review, once it shows an image."""
    desk = page.locator(".desk")
    expect(desk).to_have_attribute("data-item", re.compile(".+"))
    return desk


def saved(desk: Locator) -> None:
    """Until every decision is confirmed."""
    expect(desk).to_have_attribute("data-unsaved", "0")


def decisions(home: Path) -> list[tuple[str, str | None, str]]:
    """Action, label and reviewer of each decision in the home, in their order."""
    with closing(sqlite3.connect(home / "scones.db")) as connection:
        return connection.execute("SELECT action, label, reviewer FROM decisions ORDER BY id").fetchall()


def open_every_page(page: Page) -> Iterator[PageName]:
    """Go to each page by its address."""
    for name in PageName:
        page.goto("/" if name is PageName.OVERVIEW else f"/{name}")
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        settle(page)
        yield name
