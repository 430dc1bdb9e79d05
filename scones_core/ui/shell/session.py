"""The app, the user, and the display of errors."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from scones_core import logs
from scones_core.bootstrap import open_app
from scones_core.errors import SconesError, of_the_system
from scones_core.services import App, notification, processes, registration
from scones_core.services.background import Background
from scones_core.ui.shell.text import plain

log = logs.get(__name__)

_USER = "user_name"
_ANYONE = "someone"


@st.cache_resource(show_spinner=False, on_release=App.close)
def get_app() -> App:
    """The one App of this server process."""
    app = open_app()
    logs.configure(app.settings.home, as_json=app.settings.log_json, shown=True)
    registration.watch(app)
    notification.watch(app)
    processes.watch(app)
    return app


def get_background() -> Background:
    """The tasks and loops of this server process."""
    return get_app().background


def user() -> str:
    """The signed-in user, or the name entered in the sidebar; "someone" until one is entered."""
    return _account() or str(st.session_state.get(_USER, "")).strip() or _ANYONE


def user_input() -> None:
    """The sidebar's name field; with sign-in, the account and a sign-out button."""
    if account := _account():
        st.caption(f"Signed in as {plain(account)}")
        st.button("Sign out", icon=":material/logout:", on_click=st.logout, key="sign_out")
    else:
        st.text_input("Your name", key=_USER, placeholder=_ANYONE, help="Recorded with every decision you make.")


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


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show a SconesError of the block as a message; the one place that does."""
    try:
        yield
    except SconesError as error:
        st.error(plain(error), icon=":material/error:")
    except OSError as error:
        log.exception("refused by the system")
        st.error(plain(of_the_system(error)), icon=":material/error:")


def _account() -> str:
    return str(st.user.get("email") or st.user.get("name") or "")


def _expired() -> bool:
    expires = st.user.get("exp")
    return isinstance(expires, int | float) and expires < time.time()
