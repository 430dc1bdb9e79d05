"""Setting the threshold."""

from collections.abc import Mapping
from typing import Any

from scones_core.services import App, monitoring, threshold
from scones_core.ui.shell.user import user


def set_threshold(app: App, value: float, evidence: Mapping[str, Any] | None = None) -> str:
    """Set the threshold as the current user; returns a message for them.  evidence : what it rests on."""
    return f"The threshold is now {monitoring.set_threshold(app, value, actor=user(), evidence=evidence):.2f}"


def take_back(app: App) -> str:
    """Return to the threshold before the last change, as the current user."""
    return f"The threshold is {threshold.take_back(app, actor=user()):.2f} again"
