"""One thread that runs all executions as coroutines, and workers for functions and evaluations.

Waiting, whether for a Wait state, a backoff or a free worker, holds no thread.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from scones_core import logs
from scones_core.local.queries.pool import Pool
from scones_core.local.workflow.asl.scope import Ask
from scones_core.local.workflow.workers import Workers

T = TypeVar("T")
_log = logs.get(__name__)


class Engine:
    """An event loop in a daemon thread, and `workers` daemon threads for what blocks."""

    def __init__(self, workers: int) -> None:
        self.loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False
        self._pool = Pool()
        self._functions = Workers(self.loop, workers, "function")
        self._evaluations = Workers(self.loop, self._pool.processes, "evaluation")
        self._thread = threading.Thread(target=self._run_loop, name="executions", daemon=True)
        self._thread.start()

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run a coroutine on the loop; may be called from any thread."""
        self.loop.call_soon_threadsafe(self._create, coroutine)

    def call(self, function: Callable[[], None]) -> None:
        """Call a function on the loop's thread, soon."""
        self.loop.call_soon_threadsafe(function)

    async def run_blocking(self, function: Callable[[], T]) -> T:
        """Run a blocking function in a worker, when one is free, and give its result."""
        return await self._functions.run(function)

    async def evaluate(self, work: Callable[[Ask], T]) -> T:
        """Run what evaluates costly expressions, where it may wait for them, and give its result."""
        left = threading.Event()

        def ask(language: str, text: str, data: Any) -> Any:
            if left.is_set():
                raise ValueError("no longer awaited")
            return self._pool.evaluate(language, text, data)

        try:
            return await self._evaluations.run(lambda: work(ask))
        finally:
            left.set()

    def threads(self) -> Mapping[str, bool]:
        """Whether each thread is alive, by name."""
        own = {self._thread.name: self._thread.is_alive()}
        return {**own, **self._functions.alive(), **self._evaluations.alive()}

    def close(self) -> None:
        """End the threads; coroutines that still run are cancelled and get to finish their cleanup."""
        if not self.loop.is_running():
            return
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self.loop).result()
        self._functions.close()
        self._evaluations.close()
        self._closing = True
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self._pool.close()

    async def _cancel_all(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _create(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self.loop)
        while not self._closing:
            try:
                self.loop.run_forever()
            except BaseException as error:  # every execution runs here: one that breaks out must not end the others
                _log.error("error in the event loop, loop continues", error=repr(error))
        self.loop.close()
