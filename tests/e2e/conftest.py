"""The real app in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium, served

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
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=app_url)
    context.set_default_timeout(240_000)
    page = context.new_page()
    yield page
    context.close()
