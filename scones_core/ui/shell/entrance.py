"""Entry of every page: configuration, sign-in, navigation."""

from pathlib import Path

import streamlit as st

from scones_core import logs
from scones_core.ui.shell import navigation
from scones_core.ui.shell.session import get_app, in_demo, look_at_demo, shown_errors
from scones_core.ui.shell.silent_icons import silence_icons
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.user import signed_in, user, user_card

_CONTRAST = Path(__file__).with_name("contrast.css").read_text("utf-8")


def enter() -> None:
    """Run the requested page, behind sign-in and with the navigation in the sidebar."""
    st.set_page_config(page_icon=navigation.LOGO, layout="wide")  # first, or a page's icon is fetched from the internet
    page = st.navigation(navigation.navigation(), expanded=True)
    st.set_page_config(page_title=f"{page.title} · Scones Unlimited")
    st.logo(navigation.LOGO, size="large")
    # Streamlit gives the page its colour scheme, but not the dialogs and menus that it opens beside it.
    st.html(f"<style>:root {{ color-scheme: {st.context.theme.type or 'light'}; }}\n{_CONTRAST}</style>")
    if signed_in():
        with st.sidebar:
            user_card()
            silence_icons()
        with logs.about(page=page.url_path or "overview", by=user()), shown_errors():
            if in_demo():
                _demo_bar()
            for trouble in get_app().backend.troubles():
                st.warning(plain(trouble), icon=":material/warning:")
            navigation.note_page(page.url_path)
            page.run()


def _demo_bar() -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", border=True):
        st.markdown(
            ":material/theater_comedy: **Demo.** A home of its own: nothing here touches your models.", width="content"
        )
        if st.button("Leave the demo", icon=":material/logout:", key="leave_demo"):
            look_at_demo(False)
            st.rerun()
