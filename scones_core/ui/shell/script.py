"""The script Streamlit runs for each session. It lies apart from `pages/`, which Streamlit would otherwise discover."""

from scones_core.ui.shell.entrance import enter

enter()
