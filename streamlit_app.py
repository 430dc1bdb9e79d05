"""The app's entry point: `streamlit run streamlit_app.py`."""

import streamlit as st

from scones_core.ui.shell.server import SCRIPT, lifespan, refuse_strangers

if __name__ == "__main__":  # as a script, as in streamlit.testing
    from scones_core.ui.shell.entrance import enter

    enter()
else:  # as a server, as under `streamlit run`
    refuse_strangers()
    app = st.App(SCRIPT, lifespan=lifespan)
