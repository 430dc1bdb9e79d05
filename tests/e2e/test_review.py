"""Reviewing in a browser: nothing is lost, any number of classes by keyboard, and two reviewers on one queue."""

import json
import os
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from scones_core.bootstrap import open_app
from scones_core.domain.capture import record
from scones_core.domain.review import Strategy
from scones_core.services import capture, queue_making, review
from scones_core.settings import Settings
from tests.browser import free_port
from tests.conftest import png
from tests.e2e.test_loop import settle
from tests.unit.captured_world import copied
from tests.unit.test_label_import import wiped
from tests.warm_server import served, server

pytestmark = pytest.mark.e2e
TWENTY = (
    "自行车",
    "دراجة نارية",
    "a class name so very long that hardly any button can hold it",
    "γάτα",
    *(f"class_{n}" for n in range(5, 21)),
)
Open = Callable[..., Page]


@pytest.fixture
def open_window(browser: Browser) -> Iterator[Open]:
    """Open a window of a reviewer, who is known to it; an error of a script on the page fails the test."""
    errors: list[str] = []
    contexts = []

    def opener(url: str, reviewer: str = "Ann", path: str = "/review", **options: object) -> Page:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(240_000)
        context.add_cookies([{"name": "scones_user", "value": reviewer, "url": url}])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert not errors


@contextmanager
def ended_at_once(process: int) -> Iterator[None]:
    """Stop the server, as a machine that hangs; kill it after the block, as a power cut does."""
    os.kill(process, signal.SIGSTOP)
    yield
    os.kill(process, signal.SIGKILL)


def desk_of(page: Page) -> Locator:
    desk = page.locator(".desk")
    expect(desk).to_have_attribute("data-item", re.compile(".+"))
    return desk


def saved(desk: Locator) -> None:
    expect(desk).to_have_attribute("data-unsaved", "0")


def decisions(home: Path) -> list[tuple[str, str | None, str]]:
    with sqlite3.connect(home / "scones.db") as connection:
        return connection.execute("SELECT action, label, reviewer FROM decisions ORDER BY id").fetchall()


def test_a_server_killed_between_key_press_and_confirmation_loses_and_doubles_nothing(
    open_window: Open, captured_folder: Path, tmp_path: Path
) -> None:
    home, port = copied(captured_folder, tmp_path), free_port()
    with server(home, port=port) as (url, process):
        page = open_window(url)
        desk = desk_of(page)
        page.keyboard.press("1")
        saved(desk)
        with ended_at_once(process):
            for key in "2x1":
                page.keyboard.press(key)
            expect(desk).to_have_attribute("data-unsaved", "3")
            expect(page.get_by_text("3 decisions not saved yet: kept in this browser")).to_be_visible()
    with server(home, port=port):
        expect(page.locator('.desk[data-unsaved="0"]')).to_have_count(1)  # beside one that the page is about to remove
        expect(page.get_by_text(re.compile("^4 of "))).to_be_visible()
        expect(page.locator(".desk")).to_have_count(1)
        page.keyboard.press("2")
        expect(page.get_by_text(re.compile("^5 of "))).to_be_visible()
    labels = [label for _action, label, _who in decisions(home)]
    assert labels == ["bicycle", "motorcycle", "/unusable", "bicycle", "motorcycle"]


def test_a_tab_closed_before_the_confirmation_is_made_good_by_the_next(
    open_window: Open, captured_folder: Path, tmp_path: Path
) -> None:
    home, port = copied(captured_folder, tmp_path), free_port()
    with server(home, port=port) as (url, process):
        page = open_window(url)
        desk_of(page)
        with ended_at_once(process):
            page.keyboard.press("1")
            page.close()
        context = page.context
    with server(home, port=port) as (url, _process):
        page = context.new_page()
        page.goto("/review")
        saved(desk_of(page))
        expect(page.get_by_text(re.compile("^1 of "))).to_be_visible()
    assert decisions(home) == [("label", "bicycle", "Ann")]


def test_leaving_with_unsaved_decisions_warns(open_window: Open, captured_folder: Path, tmp_path: Path) -> None:
    with server(copied(captured_folder, tmp_path)) as (url, process):
        page = open_window(url)
        desk = desk_of(page)
        warnings: list[str] = []

        def warned(dialog: object) -> None:
            warnings.append(dialog.type)  # type: ignore[attr-defined]
            dialog.dismiss()  # type: ignore[attr-defined]

        page.on("dialog", warned)
        os.kill(process, signal.SIGSTOP)
        page.keyboard.press("1")
        page.evaluate("() => { location.href = 'about:blank' }")
        page.wait_for_function("() => true")
        os.kill(process, signal.SIGCONT)
        saved(desk)
        assert warnings == ["beforeunload"]


@pytest.fixture(scope="module")
def many_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with imported captures of a model of twenty classes. Copied by nobody: each test decides other images."""
    home = tmp_path_factory.mktemp("many") / "home"
    app = open_app(Settings(home=home))
    lines = []
    for n in range(24):
        response = [0.01] * len(TWENTY)
        response[n % 20] += 0.5
        response[(n + 1) % 20] += 0.3
        document = record(
            event_id=f"image-{n:02}",
            time=datetime(2026, 1, 1, 12, n, tzinfo=UTC),
            body=png(n, upright=bool(n % 2)),
            content_type="image/png",
            response=json.dumps(response),
            inference_id=None,
            custom_attributes=None,
        )
        lines.append(json.dumps(document).encode())
    capture.ingest_files(app, [b"\n".join(lines)], classes=TWENTY)
    app.close()
    return home


def test_twenty_classes_are_labelled_by_keyboard_alone(open_window: Open, many_classes: Path) -> None:
    with served(many_classes) as url:
        page = open_window(url)
        desk = desk_of(page)
        second = desk.locator(".choices.top button").nth(1).get_attribute("aria-label")
        page.keyboard.press("2")  # the model's second class
        saved(desk)
        for key in ("4", "0", "5", "9"):  # the first class, and the last
            page.keyboard.press(key)
        saved(desk)
        page.keyboard.press("/")
        page.keyboard.type("γάτ")
        expect(desk.locator(".choices:not(.top) button")).to_have_count(1)
        page.keyboard.press("Enter")
        saved(desk)
        page.keyboard.press("c")  # the model is right
        saved(desk)
        for control in desk.get_by_role("button").all():
            box = control.bounding_box()
            assert box is None or box["y"] + box["height"] <= 900, control.inner_text()
    labels = [label for _action, label, _who in decisions(many_classes)]
    assert [str(label).replace("_", " ") for label in labels[:1]] == [second]
    assert labels[1:4] == [TWENTY[0], TWENTY[19], "γάτα"]
    assert labels[4] in TWENTY


def test_digits_work_on_a_keyboard_whose_digit_row_has_letters(open_window: Open, many_classes: Path) -> None:
    before = len(decisions(many_classes))
    with served(many_classes) as url:
        page = open_window(url, "Zoe")
        desk = desk_of(page)
        for key, code in (("'", "Digit4"), ("é", "Digit2")):  # AZERTY
            keyboard = {"key": key, "code": code, "bubbles": True, "composed": True}
            page.evaluate("k => document.body.dispatchEvent(new KeyboardEvent('keydown', k))", keyboard)
        saved(desk)
    assert decisions(many_classes)[before:] == [("label", TWENTY[2], "Zoe")]


def test_a_refused_decision_and_a_note_whose_lease_ran_out_stay_as_drafts(
    open_window: Open, captured_folder: Path, tmp_path: Path
) -> None:
    home = copied(captured_folder, tmp_path)
    with served(home) as url:
        page = open_window(url)
        desk = desk_of(page)
        with sqlite3.connect(home / "scones.db") as connection:
            connection.execute("DELETE FROM leases")
        other = open_window(url, "Ben")
        assert desk_of(other).get_attribute("data-item") == desk.get_attribute("data-item")
        other.keyboard.press("2")
        saved(desk_of(other))
        page.keyboard.press("n")
        page.keyboard.type("my note")
        page.keyboard.press("Escape")
        page.keyboard.press("1")
        draft = page.get_by_text(re.compile("Not recorded: bicycle, “my note”. Ben has said “motorcycle”"))
        expect(draft).to_be_visible()
        page.reload()
        expect(draft).to_be_visible()
        page.get_by_role("button", name="Record it anyway").click()
        saved(desk_of(page))
        expect(draft).to_have_count(0)
        page.keyboard.press("n")
        page.keyboard.type("for later")
        page.keyboard.press("Escape")
        with sqlite3.connect(home / "scones.db") as connection:
            connection.execute("UPDATE leases SET reviewer = 'Ben'")
        page.reload()
        expect(
            page.get_by_text("The reservation of an image ran out; your note on it is kept: “for later”.")
        ).to_be_visible()
    assert [(label, who) for _action, label, who in decisions(home)] == [("motorcycle", "Ben"), ("bicycle", "Ann")]


def test_two_reviewers_share_a_queue_by_its_link(open_window: Open, captured_folder: Path, tmp_path: Path) -> None:
    home = copied(captured_folder, tmp_path)
    app = open_app(Settings(home=home))
    id = queue_making.make(app, "Ours", Strategy.LEAST_CONFIDENCE, size=8, by="Ann")
    app.close()
    with served(home) as url:
        ann, ben = (open_window(url, name, f"/review?queue={id}") for name in ("Ann", "Ben"))
        assert desk_of(ann).get_attribute("data-item") != desk_of(ben).get_attribute("data-item")
        expect(ben.get_by_text("Least confident:").first).to_be_visible()
        reserved, decided = ben.get_by_text("All remaining images are reserved by Ann."), 0
        while not decided or not reserved.is_visible():
            shown = desk_of(ben).get_attribute("data-item")
            ben.keyboard.press("1")
            decided += 1
            expect(ben.get_by_text(f"{decided} of 8 images of this queue")).to_be_visible()
            expect(reserved.or_(ben.locator(f'.desk:not([data-item=""], [data-item="{shown}"])')).first).to_be_visible()
        saved(desk_of(ann))
    assert decisions(home) == [("label", "bicycle", "Ben")] * decided


def test_a_page_of_the_grid_is_marked_confirmed_and_undone(
    open_window: Open, captured_folder: Path, tmp_path: Path
) -> None:
    home = copied(captured_folder, tmp_path)
    with served(home) as url:
        page = open_window(url)
        page.get_by_role("radio", name="Grid").or_(page.get_by_role("button", name="Grid", exact=True)).first.click()
        grid = page.locator(".grid")
        expect(grid).to_have_attribute("data-first", re.compile(".+"))
        count = int(grid.get_attribute("data-shown") or 0)
        expect(grid.locator(".tile")).to_have_count(count)
        grid.locator(".tile").nth(1).click()  # of two classes, the other one
        page.keyboard.press("ArrowRight")
        page.keyboard.press("x")
        expect(grid.get_by_text(re.compile("2 marked as wrong"))).to_be_visible()
        page.keyboard.press("Enter")
        saved(grid)
        assert len(decisions(home)) == count
        page.keyboard.press("u")
        saved(grid)
        expect(grid.get_by_text(re.compile("2 marked as wrong"))).to_be_visible()
        page.keyboard.press("Enter")
        saved(grid)
        expect(grid.get_by_text(re.compile("No image predicted"))).to_be_visible()
    made = decisions(home)
    assert [action for action, _label, _who in made] == ["label"] * count + ["undo"] * count + ["label"] * count
    assert sorted(str(label) for _action, label, _who in made[-count:])[0] == "/unusable"
    assert len({label for _action, label, _who in made[-count:]}) == 3


def test_labels_that_were_exported_and_lost_are_imported_again(
    open_window: Open, captured_folder: Path, tmp_path: Path
) -> None:
    home = copied(captured_folder, tmp_path)
    with served(home) as url:
        page = open_window(url)
        for key in ("1", "2", "0"):
            shown = desk_of(page).get_attribute("data-item")
            page.keyboard.press(key)
            expect(page.locator(f'.desk:not([data-item="{shown}"])')).to_be_visible()
        saved(desk_of(page))
        before = reviewed_labels(home)
        assert len(before) == 3
        for format in ("Augmented manifest", "Label Studio", "CSV"):
            expect(page.get_by_text(re.compile("^3 reviewed labels"))).to_be_visible()
            with page.expect_download() as download:
                page.get_by_role("button", name=format, exact=True).click()
            file = tmp_path / download.value.suggested_filename
            download.value.save_as(file)
            app = open_app(Settings(home=home))
            wiped(app)
            app.close()
            assert reviewed_labels(home) == []
            for said in ("3 new labels, 0 known already", "0 new labels, 3 known already"):
                page.reload()
                settle(page)
                page.get_by_text("Import labels").click()
                page.locator(".st-key-import_labels input[type=file]").set_input_files(file)
                page.get_by_role("button", name="Import", exact=True).click()
                expect(page.get_by_text(f"{said}, 0 rows refused.")).to_be_visible()
                settle(page)
                expect(page.get_by_text(f"{said}, 0 rows refused.")).to_be_visible()
            assert reviewed_labels(home) == before, format


def reviewed_labels(home: Path) -> list[tuple[str, str, str]]:
    """Image and label in force, and who gave it."""
    app = open_app(Settings(home=home))
    try:
        return sorted((row["id"], row["label"], row["reviewer"]) for row in review.reviewed(app))
    finally:
        app.close()
