"""Text that others bring holds no markup that Markdown would read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scones_core.ui.shell.text import plain

MARKUP = re.compile(r"(?<!\\)[`*{}\[\]()<>#+!|$:~&]")


@given(st.text())
def test_no_markup_is_left_unescaped(text: str):
    assert not MARKUP.search(plain(text).replace("\\\\", ""))


@given(st.text(alphabet="htpsw:/.@_ a"))
def test_nothing_is_left_that_makes_a_link_by_itself(text: str):
    assert not re.search(r"https?:\\?//|www\.|\w@\w", plain(text), re.IGNORECASE)


@pytest.mark.parametrize("text", ["motorcycle", "two_wheelers", "Zoë 自行车", "photos-2026", "9 of 12", "57.9%"])
def test_ordinary_text_stays_as_it_is(text: str):
    assert plain(text) == text
