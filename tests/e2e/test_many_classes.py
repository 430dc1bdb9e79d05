"""Reviewing many classes by keyboard."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from scones_core.bootstrap import open_app
from scones_core.domain.capture import record
from scones_core.services import capture
from scones_core.settings import Settings
from tests.conftest import png
from tests.e2e.driving import OpenWindow, decisions, desk_of, saved
from tests.warm_server import served

pytestmark = pytest.mark.e2e
TWENTY = (
    "自行车",
    "دراجة نارية",
    "a class name so very long that hardly any button can hold it",
    "γάτα",
    *(f"class_{n}" for n in range(5, 21)),
)


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


def test_twenty_classes_are_labelled_by_keyboard_alone(open_window: OpenWindow, many_classes: Path) -> None:
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


def test_digits_work_on_a_keyboard_whose_digit_row_has_letters(open_window: OpenWindow, many_classes: Path) -> None:
    before = len(decisions(many_classes))
    with served(many_classes) as url:
        page = open_window(url, "Zoe")
        desk = desk_of(page)
        for key, code in (("'", "Digit4"), ("é", "Digit2")):  # AZERTY
            keyboard = {"key": key, "code": code, "bubbles": True, "composed": True}
            page.evaluate("k => document.body.dispatchEvent(new KeyboardEvent('keydown', k))", keyboard)
        saved(desk)
    assert decisions(many_classes)[before:] == [("label", TWENTY[2], "Zoe")]
