"""The change of the threshold."""

from scones_core.services import App, monitoring
from scones_core.ui.shell.session import user


def set_threshold(app: App, value: float) -> str:
    """Put a threshold into force in the name of the user; returns what to tell them."""
    return f"The threshold is now {monitoring.set_threshold(app, value, actor=user()):.2f}"
