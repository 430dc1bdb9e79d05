"""The form that loads images, with its progress."""

from scones_core.services import App, etl
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.session import get_background
from scones_core.ui.shell.source_input import Chosen, source_input
from scones_core.ui.shell.task_progress import watch


def load_form(app: App, *, key: str) -> None:
    """The source of images and the button that loads them, and its progress."""
    chosen = source_input(key=key)
    action_button(
        "Load images",
        lambda: _load(app, chosen),
        key="load_images",
        icon=":material/download:",
        primary=True,
        disabled=bool(chosen.missing),
        help=chosen.missing,
    )
    watch("load")


def _load(app: App, chosen: Chosen) -> None:
    """Start loading in the background. Raises Conflict while another load runs, BadInput for an empty upload."""
    spec = chosen.spec(app)
    get_background().start(
        "load",
        "Loading images",
        lambda progress: etl.load(app, spec, classes=chosen.classes, pool_share=chosen.pool_share, progress=progress),
    )
