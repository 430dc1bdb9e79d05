"""Background work by name: tasks, and loops that run until the app is closed."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from scones_core import logs
from scones_core.errors import Conflict, SconesError

log = logs.get(__name__)

CLOSE = 5.0  # seconds; a step that takes longer ends with the process, or fails
Progress = Callable[[int, int | None, str], None]  # done, total if known, label


@dataclass
class BackgroundTask:
    """One task. Written only by its own thread; attributes that others read are replaced, not mutated."""

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
        """Ask the task to stop; tasks that check `go_on` do."""
        self.asked_to_stop = True

    def go_on(self) -> bool:
        return not self.asked_to_stop

    def wait(self, seconds: float) -> None:
        """Wait for the end, at most this long."""
        self.over.wait(seconds)

    @property
    def running(self) -> bool:
        return self.ended is None

    @property
    def share(self) -> float | None:
        """Share done, 0 to 1; None while the total is unknown."""
        return min(1.0, self.done / self.total) if self.total else None

    def progress(self, done: int, total: int | None, what: str) -> None:
        self.done, self.total, self.what = done, total, what


class Loop:
    """Repeats a step at an interval in seconds. A failed step is logged, and the loop continues."""

    def __init__(self, name: str, every: float, step: Callable[[], object]) -> None:
        self.name = name
        self.failure: str | None = None  # error of the last step; None if it succeeded
        self._every, self._step, self._over = every, step, threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Start no further step; a running one finishes."""
        self._over.set()

    def join(self, seconds: float | None = None) -> None:
        """Stop, and wait for the running step, at most this long if a time is given."""
        self.stop()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._over.wait(self._every):
            try:
                self._step()
            except Exception as error:
                log.exception("step failed, loop continues", loop=self.name)
                self.failure = f"{type(error).__name__}: {error}"
            else:
                self.failure = None


class Background:
    """The last task of each name, at most one running per name; and the loops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._tasks: dict[str, BackgroundTask] = {}
        self._loops: dict[str, Loop] = {}

    def start(self, name: str, title: str, work: Callable[[Progress], Any]) -> BackgroundTask:
        """Run `work` in a thread. Raises Conflict while a task of this name runs."""
        with self._lock:
            before = self._tasks.get(name)
            if before and before.running:
                raise Conflict(f"{before.title} is still running: wait until it has finished.")
            task = BackgroundTask(title, number=before.number + 1 if before else 1)
            self._tasks[name] = task
        arguments = (name, task, work, logs.known())
        threading.Thread(target=_run, args=arguments, name=f"scones-{name}", daemon=True).start()
        return task

    def get(self, name: str) -> BackgroundTask | None:
        return self._tasks.get(name)

    def goes_on(self, name: str) -> bool:
        """Whether the task of this name has not been asked to stop."""
        task = self._tasks.get(name)
        return task is None or task.go_on()

    def forget(self, name: str, task: BackgroundTask) -> None:
        """Forget this task, unless another of its name has started."""
        with self._lock:
            if self._tasks.get(name) is task:
                del self._tasks[name]

    def repeat(self, name: str, every: float, step: Callable[[], object]) -> Loop:
        """Run `step` at an interval in seconds until the app is closed or the loop is stopped."""
        with self._lock:
            loop = self._loops[name] = Loop(name, every, step)
        return loop

    def loops(self) -> Mapping[str, Loop]:
        with self._lock:
            return dict(self._loops)

    def end(self, loop: Loop) -> None:
        """Stop a loop, wait for its step, and forget it."""
        loop.join()
        with self._lock:
            if self._loops.get(loop.name) is loop:
                del self._loops[loop.name]

    @property
    def closing(self) -> bool:
        """Whether the app is being closed: a long step is to end early."""
        return self._closing.is_set()

    def rest(self, seconds: float) -> None:
        """Sleep, unless the app is being closed."""
        self._closing.wait(seconds)

    def close(self) -> None:
        """Stop the loops, and wait for their running steps, at most CLOSE seconds for all."""
        self._closing.set()
        until = time.monotonic() + CLOSE
        loops = self.loops().values()
        for loop in loops:
            loop.stop()
        for loop in loops:
            loop.join(max(0.0, until - time.monotonic()))


def _run(name: str, task: BackgroundTask, work: Callable[[Progress], Any], ids: Mapping[str, Any]) -> None:
    with logs.about(**{**ids, "task": name}):
        try:
            task.result = work(task.progress)
        except SconesError as error:
            log.warning("task failed", error=str(error))
            task.error = str(error)
        except Exception:
            log.exception("task failed unexpectedly")  # the screen shows no traceback
            task.error = f"{task.title} failed unexpectedly: see logs/app.log in the home, then try again."
        finally:
            task.ended = datetime.now(UTC)
            task.over.set()
