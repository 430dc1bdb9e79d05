"""The real app in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium, served
from tests.e2e.driving import OpenWindow, window

expect.set_options(timeout=240_000)  # milliseconds: a busy machine is no failure


@pytest.fixture(scope="module")  # not the session: Playwright keeps an event loop running, which other tests start too
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def app_url(tmp_path: Path) -> Iterator[str]:
    with served(tmp_path / "home") as url:
        yield url


@pytest.fixture
def page(browser: Browser, app_url: str) -> Iterator[Page]:
    """A browser window on the app, with nothing loaded yet."""
    page = window(browser, app_url, reviewer=None)
    yield page
    page.context.close()


@pytest.fixture
def open_window(browser: Browser) -> Iterator[OpenWindow]:
    """Open a window of a reviewer, who is known to it; an error of a script on the page fails the test."""
    errors: list[str] = []
    contexts = []

    def opener(url: str, reviewer: str = "Ann", path: str = "/review", **options: Any) -> Page:
        page = window(browser, url, reviewer=reviewer, **options)
        contexts.append(page.context)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert not errors
