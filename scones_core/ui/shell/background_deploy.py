"""Endpoint updates in the background: on AWS they take minutes, too long for a page to wait."""

from collections.abc import Callable

from scones_core.errors import SconesError
from scones_core.ports import Endpoint
from scones_core.ui.shell.session import get_background
from scones_core.ui.shell.task_progress import watch

_NAME = "serving"
_PATIENCE = 3.0  # seconds


def change_serving(title: str, change: Callable[[], Endpoint], tell: Callable[[Endpoint], str]) -> str:
    """Make the change in the background; return its result if it ends within seconds, else its title.

    change : called in a thread without a session.  Raises Conflict while another change runs, and SconesError if this
    one fails within seconds; `watch_serving` shows later failures.
    """
    tasks = get_background()
    task = tasks.start(_NAME, title, lambda _progress: change())
    task.progress(0, None, f"{title}…")
    task.wait(_PATIENCE)
    if task.running:
        return f"{title}…"
    if task.error:
        tasks.forget(_NAME, task)
        raise SconesError(task.error)
    return tell(task.result)


def watch_serving() -> None:
    """The running change, or the error of the last one."""
    watch(_NAME)
