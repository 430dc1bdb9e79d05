"""Who uses this session: the signed-in account, or a name given once and remembered by the browser."""

import time
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

import streamlit as st

from scones_core.ui.shell.text import plain

NAME = "user"  # in the session state
ANYONE = "someone"
LONGEST = 80
_COOKIE = "scones_user"
_REMEMBER = """export default function ({ data }) {
  document.cookie = `${data.name}=${data.value}; path=/; max-age=31536000; SameSite=Strict`
}"""


def user() -> str:
    """The signed-in user, or the name given; "someone" until one is given."""
    return _account() or _given() or ANYONE


def named() -> bool:
    return user() != ANYONE


def user_card() -> None:
    """In the sidebar: the account and a sign-out button, or the name and a button that changes it."""
    if account := _account():
        st.caption(f"Signed in as {plain(account)}")
        st.button("Sign out", icon=":material/logout:", on_click=st.logout, key="sign_out")
        return
    if named():
        st.caption(f"You are {plain(user())}")
    if st.button("Change name" if named() else "Enter your name", icon=":material/badge:", key="name_button"):
        _name_dialog()
    if st.session_state.get(NAME):
        _remember()(data={"name": _COOKIE, "value": quote(user())}, key="remember_user", height=1)


@st.dialog("Your name", icon=":material/badge:")
def _name_dialog() -> None:
    st.write("Recorded with every decision you make. This browser remembers it.")
    if name_form("Save"):
        st.rerun()


def name_form(button: str, *, field: str = "Name", key: str = "name") -> bool:
    """A field for the name, and its button; whether a name has just been given."""
    with st.form(f"{key}_form", border=False):
        name = st.text_input(field, user() if named() else "", placeholder="Your name", max_chars=LONGEST, key=key)
        given = st.form_submit_button(button, icon=":material/check:", type="primary") and bool(name.strip())
    if given:
        st.session_state[NAME] = name.strip()
    return given


def actor_input() -> str:
    """In a dialog: who decides. Asks for the name if it is not known; empty until it is given."""
    if named():
        st.caption(f"Recorded as a decision of {plain(user())}.")
        return user()
    return st.text_input("Your name", max_chars=LONGEST, key="actor").strip()


def signed_in() -> bool:
    """Whether to show the pages: always, unless sign-in is configured (secrets.toml, section auth).

    If not, shows the sign-in button. A session whose identity token has expired is signed out.
    """
    if "is_logged_in" not in st.user:
        return True
    if st.user.is_logged_in and not _expired():
        return True
    if st.user.is_logged_in:
        st.logout()
    st.title("Scones Unlimited")
    st.write("Sign in to see the models, the captured images and the reviews.")
    st.button("Sign in", icon=":material/login:", type="primary", on_click=st.login, key="sign_in")
    return False


def _given() -> str:
    return str(st.session_state.get(NAME) or _remembered()).strip()


def _remembered() -> str:
    return unquote(st.context.cookies.to_dict().get(_COOKIE, ""))[:LONGEST]


@cache
def _remember() -> Any:
    return st.components.v2.component("scones_remember", html="", js=_REMEMBER)


def _account() -> str:
    return str(st.user.get("email") or st.user.get("name") or "")


def _expired() -> bool:
    expires = st.user.get("exp")
    return isinstance(expires, int | float) and expires < time.time()
