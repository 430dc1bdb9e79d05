"""Page configuration, sign-in gate and navigation; nothing else."""

import streamlit as st

from scones_core.ui import pages
from scones_core.ui.session import shown_errors, signed_in, user_input

st.set_page_config(page_title="Scones Unlimited", page_icon=pages.LOGO, layout="wide")
st.logo(pages.LOGO, size="large")
page = st.navigation(pages.navigation(), expanded=True)

if signed_in():
    with st.sidebar:
        user_input()
    with shown_errors():
        page.run()
