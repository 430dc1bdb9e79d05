"""The app's entry point: `streamlit run streamlit_app.py`."""

import streamlit as st

from scones_core.ui.shell.entrance import enter
from scones_core.ui.shell.server import SCRIPT, lifespan, refuse_strangers

if __name__ == "__main__":  # as a script, which is how streamlit.testing runs it
    enter()
else:  # as the server that `streamlit run` finds here
    refuse_strangers()
    app = st.App(SCRIPT, lifespan=lifespan)
