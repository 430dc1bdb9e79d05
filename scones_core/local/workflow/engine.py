"""One thread that runs all executions as coroutines, and a few that run the functions.

Waiting, whether for a Wait state, a backoff or a free worker, holds no thread.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from scones_core.local.queries.pool import Pool
from scones_core.local.workflow.asl.scope import Ask

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Engine:
    """An event loop in a daemon thread, and `workers` daemon threads for what blocks."""

    def __init__(self, workers: int) -> None:
        self.loop = asyncio.new_event_loop()
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._slots = asyncio.Semaphore(workers)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False
        self._pool = Pool()
        self._evaluating = ThreadPoolExecutor(self._pool.processes, "evaluation")
        self._threads = [threading.Thread(target=self._work, name=f"function-{n}", daemon=True) for n in range(workers)]
        self._thread = threading.Thread(target=self._run_loop, name="executions", daemon=True)
        for thread in [*self._threads, self._thread]:
            thread.start()

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run a coroutine on the loop; may be called from any thread."""
        self.loop.call_soon_threadsafe(self._create, coroutine)

    def call(self, function: Callable[[], None]) -> None:
        """Call a function on the loop's thread, soon."""
        self.loop.call_soon_threadsafe(function)

    async def run_blocking(self, function: Callable[[], T]) -> T:
        """Run a blocking function in a worker, when one is free, and give its result.

        A cancelled caller leaves at once; the worker stays taken until the function returns.
        """
        await self._slots.acquire()
        done: asyncio.Future[T] = self.loop.create_future()
        self._jobs.put(lambda: self._perform(function, done))
        return await done

    async def evaluate(self, work: Callable[[Ask], T]) -> T:
        """Run what evaluates costly expressions, where it may wait for them, and give its result."""
        left = threading.Event()

        def ask(language: str, text: str, data: Any) -> Any:
            if left.is_set():
                raise ValueError("nobody waits for it any more")
            return self._pool.evaluate(language, text, data)

        try:
            return await self.loop.run_in_executor(self._evaluating, work, ask)
        finally:
            left.set()

    def threads(self) -> Mapping[str, bool]:
        """Whether each thread is alive, by name."""
        return {thread.name: thread.is_alive() for thread in [self._thread, *self._threads]}

    def close(self) -> None:
        """End the threads; coroutines that still run are cancelled and get to finish their cleanup."""
        if not self.loop.is_running():
            return
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self.loop).result()
        for _ in self._threads:
            self._jobs.put(None)
        self._closing = True
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self._pool.close()
        self._evaluating.shutdown(wait=False)

    async def _cancel_all(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _create(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _perform(self, function: Callable[[], T], done: "asyncio.Future[T]") -> None:
        result, failure = None, None
        try:
            result = function()
        except BaseException as error:
            failure = error
        try:
            self.loop.call_soon_threadsafe(self._deliver, done, result, failure)
        except RuntimeError as error:
            if not self.loop.is_closed():  # nobody waits any more once it is
                _log.error("the result of a function found no loop: %s", error)

    def _deliver(self, done: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
        self._slots.release()
        if isinstance(error, StopIteration) or not isinstance(error, Exception | None):
            # Any other would end the loop, or look like the cancellation of whoever waits for it.
            error = RuntimeError(f"{type(error).__name__}: {error}")
        if done.done():  # cancelled meanwhile
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self.loop)
        while not self._closing:
            try:
                self.loop.run_forever()
            except BaseException as error:  # every execution runs here: one that breaks out must not end the others
                _log.error("the loop of the executions goes on after %s: %s", type(error).__name__, error)
        self.loop.close()
