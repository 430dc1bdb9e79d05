"""A person goes through the whole loop in a browser, on the AWS backend: the very test of the embedded backend."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.contract.conftest import REAL
from tests.e2e.conftest import browser  # noqa: F401 - a fixture
from tests.e2e.driving import window
from tests.e2e.test_loop import test_the_whole_loop_by_hand as by_hand
from tests.warm_server import served

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(REAL, reason="takes an hour and costs money")]
SETTINGS = {"SCONES_ALGORITHM": "embedded", "SCONES_POLL_SECONDS": "0.2", "SCONES_ENDPOINT": "scones-browser"}


@pytest.fixture
def page(
    browser: Browser,  # noqa: F811
    fresh_stand_in: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Page]:
    """A browser window on the app, which the environment leads to the stand-in."""
    for name, value in {**fresh_stand_in, **SETTINGS}.items():
        monkeypatch.setenv(name, value)
    with served(tmp_path / "home") as url:
        page = window(browser, url, reviewer=None)
        yield page
        page.context.close()


def test_the_whole_loop_by_hand_on_aws(page: Page, tmp_path: Path):
    by_hand(page, tmp_path)
