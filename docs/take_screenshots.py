"""Takes the screenshots of the user guide: `python docs/take_screenshots.py [FOLDER]` (default: docs/images).

Runs the loop on the generated sample in a temporary home, starts the app on it, and photographs every page at
1440 × 900 in Chromium.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from scones_core.bootstrap import open_app  # noqa: E402
from scones_core.services import batch, capture, classification, demo  # noqa: E402
from scones_core.services.demo import Stage  # noqa: E402
from scones_core.settings import Settings  # noqa: E402
from tests.browser import chromium, served  # noqa: E402

SIZE, PHONE = (1440, 900), (430, 930)
PAGES = ("overview", "data", "train", "workflow", "monitor", "review", "models", "settings")


def go_round_the_loop(home: Path) -> None:
    """The whole loop up to a challenger that waits, and some more images, so that there is something to review."""
    app = open_app(Settings(home=home))
    for done in demo.run(app, images=120):
        sys.stderr.write(f"{done.stage} done\n")
        if done.stage is Stage.RETRAIN:
            break
    classification.classify(app, classification.sample_keys(app, 60, seed=7))
    capture.ingest(app)
    batch.wait(app, batch.start(app))
    app.close()


def open_page(browser: Browser, address: str, name: str, *, size: tuple[int, int] = SIZE, dark: bool = False) -> Page:
    """A page of the app, drawn to the end."""
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light", device_scale_factor=1
    )
    page.goto(f"{address}/{'' if name == 'overview' else name}")
    page.get_by_role("heading", level=1).wait_for()
    settle(page)
    return page


def settle(page: Page) -> None:
    """Wait until nothing runs and the charts are drawn."""
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(2000)


def photograph(browser: Browser, address: str, folder: Path) -> None:
    for name, path in {**{page: page for page in PAGES}, "batch": "workflow?part=batch"}.items():
        page = open_page(browser, address, path)
        page.get_by_test_id("stSidebar").get_by_role("textbox").fill("Ada")
        page.keyboard.press("Enter")
        settle(page)
        page.screenshot(path=folder / f"{name}.png")
        page.close()
    for name, size, dark in (("overview-dark", SIZE, True), ("overview-phone", PHONE, False)):
        page = open_page(browser, address, "overview", size=size, dark=dark)
        page.screenshot(path=folder / f"{name}.png")
        page.close()


def photograph_demo(browser: Browser, address: str, folder: Path) -> None:
    """An empty app, its guided demo at the images' stage, and its end."""
    page = open_page(browser, address, "overview")
    page.screenshot(path=folder / "overview-empty.png")
    page.get_by_role("button", name="Run the guided demo").click()
    page.get_by_text("Retrain with the reviewed labels, and compare").wait_for(timeout=180_000)
    page.wait_for_timeout(4000)
    page.screenshot(path=folder / "demo.png")
    page.get_by_text("Demo finished").wait_for(timeout=180_000)
    settle(page)
    page.get_by_text("Demo finished").evaluate("element => element.scrollIntoView()")
    page.wait_for_timeout(500)
    page.screenshot(path=folder / "demo-end.png")
    page.close()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        with served(Path(name) / "empty") as address:
            photograph_demo(browser, address, folder)
        go_round_the_loop(Path(name) / "full")
        with served(Path(name) / "full") as address:
            photograph(browser, address, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "docs" / "images")
