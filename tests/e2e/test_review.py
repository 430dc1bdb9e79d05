"""Reviewing in a browser: nothing is lost, and two reviewers share a queue."""

import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from scones_core.bootstrap import open_app
from scones_core.domain.review import Strategy
from scones_core.services import queue_making
from scones_core.settings import Settings
from tests.browser import free_port
from tests.e2e.driving import OpenWindow, decisions, desk_of, saved
from tests.unit.captured_world import copied
from tests.warm_server import served, server

pytestmark = pytest.mark.e2e


@contextmanager
def ended_at_once(process: int) -> Iterator[None]:
    """Stop the server, as a machine that hangs; kill it after the block, as a power cut does."""
    os.kill(process, signal.SIGSTOP)
    yield
    os.kill(process, signal.SIGKILL)


def test_a_server_killed_between_key_press_and_confirmation_loses_and_doubles_nothing(
    open_window: OpenWindow, captured_folder: Path, tmp_path: Path
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
    open_window: OpenWindow, captured_folder: Path, tmp_path: Path
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


def test_leaving_with_unsaved_decisions_warns(open_window: OpenWindow, captured_folder: Path, tmp_path: Path) -> None:
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


def test_a_refused_decision_and_a_note_whose_lease_ran_out_stay_as_drafts(
    open_window: OpenWindow, captured_folder: Path, tmp_path: Path
) -> None:
    home = copied(captured_folder, tmp_path)
    with served(home) as url:
        page = open_window(url)
        desk = desk_of(page)
        with closing(sqlite3.connect(home / "scones.db")) as connection, connection:
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
        with closing(sqlite3.connect(home / "scones.db")) as connection, connection:
            connection.execute("UPDATE leases SET reviewer = 'Ben'")
        page.reload()
        expect(
            page.get_by_text("The reservation of an image ran out; your note on it is kept: “for later”.")
        ).to_be_visible()
    assert [(label, who) for _action, label, who in decisions(home)] == [("motorcycle", "Ben"), ("bicycle", "Ann")]


def test_two_reviewers_share_a_queue_by_its_link(
    open_window: OpenWindow, captured_folder: Path, tmp_path: Path
) -> None:
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
    open_window: OpenWindow, captured_folder: Path, tmp_path: Path
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
