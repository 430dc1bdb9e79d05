"""The page Settings."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from scones_core.services import App, classification, monitoring
from scones_core.ui.shell.navigation import PageName
from scones_core.ui.shell.session import main_app
from tests.unit.pages.driving import Open, links, metrics, pressed, texts


def tables(page: AppTest) -> str:
    return "\n".join(table.value.to_string() for table in page.table)


def test_settings_link_to_the_figures_behind_a_threshold(open_page: Open):
    assert "Compare thresholds" in links(open_page("settings"))


def test_a_threshold_close_to_one_can_be_looked_at_and_taken_back(open_page: Open):
    app = main_app()
    monitoring.set_threshold(app, 0.9999)
    page = open_page("settings")
    assert metrics(page)["Current"] == "0.9999"
    page.number_input(key="new_threshold").set_value(0.93).run()
    pressed(page, "Set threshold")
    assert monitoring.threshold(app) == 0.93


def test_the_threshold_is_changed_on_the_settings_page(open_page: Open):
    page = open_page("settings")
    assert metrics(page)["Current"] == "0.93"
    page.number_input(key="new_threshold").set_value(0.8).run()
    pressed(page, "Set threshold")
    assert metrics(page)["Current"] == "0.8"


def test_the_settings_page_shows_the_checks_and_no_secret(open_page: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCONES_NOTIFY", "json://ada:hunter2@127.0.0.1:1/")
    page = open_page("settings")
    assert "checks passed" in texts(page)
    assert "hunter2" not in tables(page) + texts(page)
    assert "SCONES_DATABASE_URL" in tables(page)
    assert "SQLite in the home" in tables(page)


def test_every_page_says_that_an_inference_could_not_be_captured(trained: App, page_home: Path, open_page: Open):
    captures = page_home / "objects" / "captures"
    shutil.rmtree(captures, ignore_errors=True)
    captures.write_text("in the way", encoding="utf-8")
    assert "capture is failing" in tables(open_page("settings"))
    classification.classify(trained, classification.sample_keys(trained, 1))
    for name in PageName:
        assert "Data capture is failing" in texts(open_page(name)), name
