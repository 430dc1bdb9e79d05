"""The way in: page configuration, sign-in and navigation, whatever address was opened."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from scones_core import logs
from scones_core.ui import pages
from scones_core.ui.session import get_app, may_serve, shown_errors, signed_in, user, user_input
from scones_core.ui.text import plain


def enter() -> None:
    """Run the page that was asked for, behind the sign-in and with the navigation beside it."""
    st.set_page_config(page_title="Scones Unlimited", page_icon=pages.LOGO, layout="wide")
    st.logo(pages.LOGO, size="large")
    page = st.navigation(pages.navigation(), expanded=True)
    if may_serve() and signed_in():
        with st.sidebar:
            user_input()
        with logs.about(page=page.url_path or "overview", by=user()), shown_errors():
            for trouble in get_app().backend.troubles():
                st.warning(plain(trouble), icon=":material/warning:")
            page.run()


def through_the_entrance() -> None:
    """Send a page that Streamlit runs on its own through `enter`; the first call of every page.

    Until `st.navigation` has run once in a server, Streamlit takes each file of `pages/` for a page of its own making:
    whoever opens /data first, after a restart, would be past the sign-in.
    """
    if PagesManager.uses_pages_directory:
        enter()
        st.stop()
