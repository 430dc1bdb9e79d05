"""Labels leave the browser as a file, and come back from it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scones_core.bootstrap import open_app
from scones_core.services import label_import, review
from scones_core.settings import Settings
from tests.e2e.driving import OpenWindow, desk_of, saved, settle
from tests.unit.captured_world import copied
from tests.unit.test_label_import import wiped
from tests.warm_server import served

pytestmark = pytest.mark.e2e


def test_labels_that_were_exported_and_lost_are_imported_again(
    open_window: OpenWindow, captured_folder: Path, tmp_path: Path
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
        expect(page.get_by_text(re.compile("^3 reviewed labels"))).to_be_visible()
        files = [downloaded(page, format, tmp_path) for format in ("Augmented manifest", "CSV", "Label Studio")]
        app = open_app(Settings(home=home))
        for file in files:
            wiped(app)
            assert reviewed_labels(home) == []
            label_import.import_labels(app, file)
            assert reviewed_labels(home) == before, file.name
        wiped(app)
        app.close()
        for said in ("3 new labels, 0 known already", "0 new labels, 3 known already"):
            page.reload()
            settle(page)
            page.get_by_text("Import labels").click()
            page.locator(".st-key-import_labels input[type=file]").set_input_files(files[-1])
            page.get_by_role("button", name="Import", exact=True).click()
            expect(page.get_by_text(f"{said}, 0 rows refused.")).to_be_visible()
            settle(page)
            expect(page.get_by_text(f"{said}, 0 rows refused.")).to_be_visible()
        assert reviewed_labels(home) == before


def downloaded(page: Page, format: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=format, exact=True).click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def reviewed_labels(home: Path) -> list[tuple[str, str, str]]:
    """Image and label in force, and who gave it."""
    app = open_app(Settings(home=home))
    try:
        return sorted((row["id"], row["label"], row["reviewer"]) for row in review.reviewed(app))
    finally:
        app.close()
