"""Changes of what the endpoint serves: on AWS they take minutes, which no page waits for."""

from collections.abc import Callable

from scones_core.errors import SconesError
from scones_core.ports import Endpoint
from scones_core.ui.shell.session import get_background
from scones_core.ui.shell.task_progress import watch

_NAME = "serving"
_PATIENCE = 3.0  # seconds


def change_serving(title: str, change: Callable[[], Endpoint], tell: Callable[[Endpoint], str]) -> str:
    """Make the change in the background and return what to tell the user: of its end, when that comes soon.

    change : called in a thread without a session.  Raises Conflict while another change is under way, and what went
    wrong soon; `watch_serving` shows the rest.
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
    """The change that is under way, or how the last one failed."""
    watch(_NAME)
