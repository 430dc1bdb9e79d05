"""How a page opens: by its address, with a name, signed in."""

import pytest
from streamlit.testing.v1 import AppTest

from scones_core.services import App
from scones_core.ui.shell.navigation import PageName
from scones_core.ui.shell.server import SCRIPT
from tests.unit.pages.driving import Open


@pytest.mark.parametrize("name", list(PageName))
def test_a_page_opened_by_its_address_comes_with_navigation_and_asks_for_a_name(open_page: Open, name: PageName):
    page = open_page(name)
    assert [button.label for button in page.sidebar.button] == ["Enter your name"]
    assert len(page.title) == 1


def test_a_name_once_given_is_shown_on_every_page_without_a_field_that_keys_fall_into(open_page: Open):
    page = open_page("settings")
    page.session_state["user"] = "Ada"
    page.switch_page(PageName.MODELS.path).run()
    assert [caption.value for caption in page.sidebar.caption] == ["You are Ada"]
    assert not page.sidebar.text_input


def test_who_is_not_signed_in_sees_the_way_in_and_nothing_else(open_page: Open, serving: App):
    page = AppTest.from_file(SCRIPT, default_timeout=120)
    page.user = {"is_logged_in": False}
    page.switch_page(PageName.MODELS.path).run()
    assert [button.label for button in page.button] == ["Sign in"]
    assert not page.metric
    assert not page.dataframe


def test_an_expired_sign_in_is_no_sign_in(open_page: Open):
    page = AppTest.from_file(SCRIPT, default_timeout=120)
    page.user = {"is_logged_in": True, "name": "Ada", "exp": 1}
    page.run()
    assert not page.metric
