"""The app's entry point: `streamlit run streamlit_app.py`."""

from scones_core.ui.entrance import enter

enter()
