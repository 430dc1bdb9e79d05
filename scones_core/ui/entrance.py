"""The way in: page configuration, sign-in and navigation, whatever address was opened."""

import streamlit as st

from scones_core import logs
from scones_core.ui import pages
from scones_core.ui.session import get_app, shown_errors, signed_in, user, user_input
from scones_core.ui.text import plain


def enter() -> None:
    """Run the page that was asked for, behind the sign-in and with the navigation beside it."""
    st.set_page_config(page_title="Scones Unlimited", page_icon=pages.LOGO, layout="wide")
    st.logo(pages.LOGO, size="large")
    page = st.navigation(pages.navigation(), expanded=True)
    if signed_in():
        with st.sidebar:
            user_input()
        with logs.about(page=page.url_path or "overview", by=user()), shown_errors():
            for trouble in get_app().backend.troubles():
                st.warning(plain(trouble), icon=":material/warning:")
            page.run()
