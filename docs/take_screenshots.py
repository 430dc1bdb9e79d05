"""Takes the screenshots of the user guide: `python docs/take_screenshots.py [--every] [FOLDER]` (default: docs/images).

Runs the loop on the generated sample in a temporary home, starts the app on it, and photographs every page at
1440 × 900 in Chromium. With `--every`: each page and what opens on it, empty, by the demo, and full, whole, in both
themes and four sizes, to be looked at.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from scones_core.bootstrap import open_app  # noqa: E402
from scones_core.domain.drift import SimulatedDrift  # noqa: E402
from scones_core.domain.review import Strategy  # noqa: E402
from scones_core.services import audit_draws, batch, capture, classification, demo, queue_making, report, traffic  # noqa: E402
from scones_core.services.demo import Stage  # noqa: E402
from scones_core.settings import Settings  # noqa: E402
from tests.browser import chromium, served  # noqa: E402

SIZE, PHONE = (1440, 900), (430, 930)
SIZES = (SIZE, (1280, 720), (1024, 768), (420, 900))
HIGHEST = 4000  # pixels of a picture
PAGES = ("overview", "data", "train", "workflow", "monitor", "review", "models", "settings")
PARTS = ("batch", "traffic", "machines", "import", "notifications")

Steps = Callable[[Page], None]


def _tab(name: str) -> Steps:
    return lambda page: page.get_by_role("tab", name=name).click()


def _button(name: str) -> Steps:
    return lambda page: page.get_by_role("button", name=re.compile(name)).first.click()


def _nothing(_page: Page) -> None:
    pass


# What opens on a page: path and steps.
OPENED: dict[str, tuple[str, Steps]] = {
    "data-map": ("data", _tab("Map")),
    "data-suspects": ("data", _tab("Suspected labels")),
    "data-balance": ("data", _tab("Class balance")),
    "data-versions": ("data", _tab("Versions")),
    "data-alike": ("data", _button("Alike|alike")),
    "train-options": ("train", _button("Options")),
    "monitor-audit": ("monitor", _button("New audit")),
    "review-grid": ("review", lambda page: page.get_by_text("Grid", exact=True).click()),
    "review-queue": ("review?queue=1", _nothing),
    "review-keys": ("review", lambda page: page.keyboard.press("?")),
    "models-promote": ("models", _button("^Promote")),
    "models-reject": ("models", _button("^Reject")),
}


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
    context.set_default_timeout(180_000)
    context.add_cookies([{"name": "scones_user", "value": "Ada", "url": address}])
    page = context.new_page()
    page.goto(f"{address}/{'' if name == 'overview' else name}")
    page.get_by_role("heading", level=1).wait_for()
    settle(page)
    return page


def settle(page: Page) -> None:
    """Wait until nothing runs and the charts are drawn."""
    page.wait_for_function(
        "() => ![...document.querySelectorAll('[data-testid=stStatusWidget], [data-testid=stSkeleton]')]"
        ".some(e => e.checkVisibility())",
        timeout=120_000,
    )
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


def go_on(home: Path) -> None:
    """More for a full home: traffic in the dark, an audit, a queue; the evidence report beside the home."""
    app = open_app(Settings(home=home))
    traffic.send(app, 120, seed=1)
    traffic.send(app, 80, drift=SimulatedDrift.DARK, seed=2)
    capture.ingest(app)
    queue_making.make(app, "Unsure ones", Strategy.LEAST_CONFIDENCE, size=24, by="Ada")
    audit_draws.start(app, 40, by="Ada", seed=0)
    home.with_name("report.html").write_bytes(report.report(app))
    app.close()


def photograph_every(browser: Browser, address: str, folder: Path, views: dict[str, tuple[str, Steps]]) -> None:
    """Each view, as high as it is, in both themes and all sizes."""
    for size in SIZES:
        for dark in (False, True):
            for name, (path, steps) in views.items():
                page = open_page(browser, address, path, size=size, dark=dark)
                theme = "dark" if dark else "light"
                try:
                    steps(page)
                    whole(page, folder / f"{name}-{size[0]}-{theme}.png")
                except PlaywrightError as error:
                    sys.stderr.write(f"{name} {size[0]} {theme}: {error.message.splitlines()[0]}\n")
                page.context.close()


def whole(page: Page, file: Path) -> None:
    """Photograph a page as high as it is."""
    settle(page)
    height = page.evaluate("(document.querySelector('[data-testid=stMain]') || document.body).scrollHeight")
    size = page.viewport_size or {"width": SIZE[0], "height": SIZE[1]}
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], min(height + 20, HIGHEST))})
    settle(page)
    page.screenshot(path=file)


def photograph_report(browser: Browser, file: Path, folder: Path) -> None:
    """The evidence report on screen and as it is printed."""
    page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
    page.goto(file.as_uri())
    page.screenshot(path=folder / "report.png", full_page=True)
    page.pdf(path=folder / "report.pdf", format="A4")
    page.close()


def photograph_demo(browser: Browser, address: str, folder: Path) -> None:
    """An empty app, its guided demo once a first model is trained, and its end."""
    page = open_page(browser, address, "overview")
    page.screenshot(path=folder / "overview-empty.png")
    page.get_by_role("button", name="Run the guided demo").click()
    page.get_by_text(re.compile("Stage [3-9] of")).wait_for(timeout=600_000)
    page.wait_for_timeout(1500)
    page.screenshot(path=folder / "demo.png")
    page.get_by_role("button", name="Run it again").wait_for(timeout=600_000)
    settle(page)
    page.screenshot(path=folder / "demo-end.png")
    page.close()


def every_state(browser: Browser, root: Path, folder: Path) -> None:
    """Empty, by the demo, and full."""
    pages: dict[str, tuple[str, Steps]] = {name: (name, _nothing) for name in PAGES}
    with served(root / "empty") as address:
        photograph_every(browser, address, folder, {f"empty-{name}": view for name, view in pages.items()})
        photograph_demo(browser, address, folder)
    go_round_the_loop(root / "full")
    go_on(root / "full")
    parts: dict[str, tuple[str, Steps]] = {f"workflow-{part}": (f"workflow?part={part}", _nothing) for part in PARTS}
    with served(root / "full") as address:
        photograph_every(browser, address, folder, pages | parts | OPENED)
    photograph_report(browser, root / "report.html", folder)


def main(folder: Path, *, every: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        root = Path(name)
        if every:
            every_state(browser, root, folder)
            return
        with served(root / "empty") as address:
            photograph_demo(browser, address, folder)
        go_round_the_loop(root / "full")
        with served(root / "full") as address:
            photograph(browser, address, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=REPOSITORY / "docs" / "images")
    parser.add_argument("--every", action="store_true", help="every state, theme and size, to be looked at")
    arguments = parser.parse_args()
    main(arguments.folder, every=arguments.every)
