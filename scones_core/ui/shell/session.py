"""The app that a session looks at, and the display of errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from scones_core import logs
from scones_core.bootstrap import open_app
from scones_core.errors import SconesError, of_the_system
from scones_core.services import App, likeness, notification, processes, registration
from scones_core.services.background import Background
from scones_core.ui.shell.demo_home import DemoHome
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.user import NAME

log = logs.get(__name__)

_IN_DEMO = "in_demo"


@st.cache_resource(show_spinner=False, on_release=App.close)
def main_app() -> App:
    """The one App of this server process."""
    app = open_app()
    logs.configure(app.settings.home, as_json=app.settings.log_json, shown=True)
    registration.watch(app)
    notification.watch(app)
    processes.watch(app)
    likeness.watch(app)
    return app


@st.cache_resource(show_spinner=False, on_release=DemoHome.close)
def demo_home() -> DemoHome:
    """The demo's home of this server process."""
    return DemoHome(main_app().settings)


def get_app() -> App:
    """The App this session looks at: the main one, or the demo's."""
    return (demo_home().open() if in_demo() else None) or main_app()


def in_demo() -> bool:
    """Whether this session looks at the demo."""
    return bool(st.session_state.get(_IN_DEMO))


def look_at_demo(demo: bool) -> None:
    """Switch this session to the demo's home, or back; the choices made on the pages belong to the other home."""
    name = st.session_state.get(NAME)
    st.session_state.clear()
    st.session_state[_IN_DEMO] = demo
    if name:
        st.session_state[NAME] = name


def get_background() -> Background:
    """The tasks and loops of this session's App."""
    return get_app().background


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
