"""The charts' texts can be read on either background."""

import tomllib

import pytest
from altair.utils.schemapi import SchemaValidationError

from scones_core.settings import FILES
from scones_core.ui.shell.chart_theme import DARK_INK, LIGHT_INK, alt, drawable

THEMES = tomllib.loads((FILES / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("theme", "ink"), [("light", LIGHT_INK), ("dark", DARK_INK)])
def test_the_texts_of_a_chart_have_enough_contrast(theme: str, ink: str):
    for background in ("backgroundColor", "secondaryBackgroundColor"):
        dark, light = sorted((luminance(ink), luminance(THEMES[theme][background])))
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_every_chart_gets_them():
    config = alt.Chart().mark_point().to_dict()["config"]
    assert {config[part]["labelColor"] for part in ("axis", "legend", "header")} == {LIGHT_INK}


def test_a_chart_that_altair_refuses_is_found_by_the_tests():
    with pytest.raises(SchemaValidationError):
        drawable(alt.Chart(alt.sequence(3)).mark_point(opacity="half").encode(x="data:Q")).to_dict()


def test_a_chart_is_drawn_as_altair_says_it():
    chart = alt.Chart(alt.sequence(3)).mark_point().encode(x="data:Q")
    assert drawable(chart).to_dict() == chart.to_dict()
