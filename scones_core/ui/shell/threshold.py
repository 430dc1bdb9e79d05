"""Setting the threshold."""

from scones_core.services import App, monitoring
from scones_core.ui.shell.user import user


def set_threshold(app: App, value: float) -> str:
    """Set the threshold as the current user; returns a message for them."""
    return f"The threshold is now {monitoring.set_threshold(app, value, actor=user()):.2f}"
