"""Takes the screenshots of the user guide: `python docs/take_screenshots.py [--every] [FOLDER]` (default: docs/images).

Runs the loop on the generated sample in a temporary home, starts the app on it, and photographs every page at
1440 × 900 in Chromium. With `--every`: each page, whole, in both themes at three widths, to be looked at.
"""

import argparse
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
WIDTHS = (1440, 1024, 420)
PAGES = ("overview", "data", "train", "workflow", "monitor", "review", "models", "settings")
PARTS = ("batch", "traffic", "machines", "import", "notifications")


def go_round_the_loop(home: Path) -> None:
    """The whole loop up to a challenger that waits, and some more images, so that there is something to review."""
    app = open_app(Settings(home=home))
    for done in demo.run(app):
        sys.stderr.write(f"{done.stage} done\n")
        if done.stage is Stage.RETRAIN:
            break
    classification.classify(app, classification.sample_keys(app, 60, seed=7))
    capture.ingest(app)
    batch.wait(app, batch.start(app))
    app.close()


def open_page(browser: Browser, address: str, name: str, *, size: tuple[int, int] = SIZE, dark: bool = False) -> Page:
    """A page of the app, drawn to the end."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light", device_scale_factor=1
    )
    context.add_cookies([{"name": "scones_user", "value": "Ada", "url": address}])
    page = context.new_page()
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
        page.screenshot(path=folder / f"{name}.png")
        page.close()
    for name, size, dark in (("overview-dark", SIZE, True), ("overview-phone", PHONE, False)):
        page = open_page(browser, address, "overview", size=size, dark=dark)
        page.screenshot(path=folder / f"{name}.png")
        page.close()


def photograph_every(browser: Browser, address: str, folder: Path) -> None:
    """Each page and each part of the Workflow page, as high as it is, in both themes at each width."""
    for name in (*PAGES, *(f"workflow?part={part}" for part in PARTS)):
        for width in WIDTHS:
            for dark in (False, True):
                page = open_page(browser, address, name, size=(width, 900), dark=dark)
                height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
                page.set_viewport_size({"width": width, "height": min(height + 20, 4000)})
                settle(page)
                theme = "dark" if dark else "light"
                page.screenshot(path=folder / f"{name.replace('?part=', '-')}-{width}-{theme}.png")
                page.context.close()


def photograph_demo(browser: Browser, address: str, folder: Path) -> None:
    """An empty app, its guided demo at the images' stage, and its end."""
    page = open_page(browser, address, "overview")
    page.screenshot(path=folder / "overview-empty.png")
    page.get_by_role("button", name="Run the guided demo").click()
    page.get_by_text("Train a first model").first.wait_for(timeout=180_000)
    page.wait_for_timeout(1500)
    page.screenshot(path=folder / "demo.png")
    page.get_by_role("button", name="Run it again").wait_for(timeout=180_000)
    settle(page)
    page.screenshot(path=folder / "demo-end.png")
    page.close()


def main(folder: Path, *, every: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        if not every:
            with served(Path(name) / "empty") as address:
                photograph_demo(browser, address, folder)
        go_round_the_loop(Path(name) / "full")
        with served(Path(name) / "full") as address:
            (photograph_every if every else photograph)(browser, address, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=REPOSITORY / "docs" / "images")
    parser.add_argument("--every", action="store_true", help="each page in both themes at three widths")
    arguments = parser.parse_args()
    main(arguments.folder, every=arguments.every)
