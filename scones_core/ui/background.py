"""Long work that goes on when the page is left: threads held by the server process, watched by any session."""

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from scones_core.errors import Conflict, SconesError
from scones_core.services.app import Progress


@dataclass
class Task:
    """One piece of work. Written by its own thread only; what others read is replaced whole."""

    title: str
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    done: int = 0
    total: int | None = None
    what: str = "Starting"
    result: Any = None
    error: str | None = None
    number: int = 0
    asked_to_stop: bool = False
    over: threading.Event = field(default_factory=threading.Event, repr=False)

    def stop(self) -> None:
        """Ask the work to end; work that looks at `go_on` does."""
        self.asked_to_stop = True

    def go_on(self) -> bool:
        return not self.asked_to_stop

    def wait(self, seconds: float) -> None:
        """Wait for the end, so long at the most."""
        self.over.wait(seconds)

    @property
    def running(self) -> bool:
        return self.ended is None

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1; None while the total is unknown."""
        return min(1.0, self.done / self.total) if self.total else None

    def progress(self, done: int, total: int | None, what: str) -> None:
        self.done, self.total, self.what = done, total, what


class Tasks:
    """The last task of each name. At most one of a name runs at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[str, Task] = {}

    def start(self, name: str, title: str, work: Callable[[Progress], Any]) -> Task:
        """Run `work` in a thread. Raises Conflict while a task of this name runs."""
        with self._lock:
            before = self._tasks.get(name)
            if before and before.running:
                raise Conflict(f"{before.title} is still under way: wait until it has ended.")
            task = Task(title, number=before.number + 1 if before else 1)
            self._tasks[name] = task
        threading.Thread(target=_run, args=(task, work), name=f"scones-{name}", daemon=True).start()
        return task

    def forget(self, name: str) -> None:
        """Leave nothing to see of the last task of this name."""
        with self._lock:
            self._tasks.pop(name, None)

    def get(self, name: str) -> Task | None:
        return self._tasks.get(name)


def _run(task: Task, work: Callable[[Progress], Any]) -> None:
    try:
        task.result = work(task.progress)
    except SconesError as error:
        task.error = str(error)
    except Exception:
        traceback.print_exc()  # for whoever runs the server; the screen shows no traceback
        task.error = f"{task.title} ended with an unexpected error: see the server's log, then try again."
    finally:
        task.ended = datetime.now(UTC)
        task.over.set()


@st.cache_resource(show_spinner=False)
def get_tasks() -> Tasks:
    """The tasks of this server process."""
    return Tasks()
