"""Entry of every page: configuration, sign-in, navigation."""

import streamlit as st

from scones_core import logs
from scones_core.ui.shell import navigation
from scones_core.ui.shell.session import get_app, shown_errors, signed_in, user, user_input
from scones_core.ui.shell.text import plain


def enter() -> None:
    """Run the requested page, behind sign-in and with the navigation in the sidebar."""
    st.set_page_config(page_title="Scones Unlimited", page_icon=navigation.LOGO, layout="wide")
    st.logo(navigation.LOGO, size="large")
    page = st.navigation(navigation.navigation(), expanded=True)
    if signed_in():
        with st.sidebar:
            user_input()
        with logs.about(page=page.url_path or "overview", by=user()), shown_errors():
            for trouble in get_app().backend.troubles():
                st.warning(plain(trouble), icon=":material/warning:")
            page.run()
