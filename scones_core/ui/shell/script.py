"""What Streamlit runs for each session, whatever address was opened; no `pages/` lies beside it to be discovered."""

from scones_core.ui.shell.entrance import enter

enter()
