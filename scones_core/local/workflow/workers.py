"""Worker threads for blocking calls of coroutines."""

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from scones_core import logs

T = TypeVar("T")
_log = logs.get(__name__)


class Workers:
    """`count` daemon threads, whose names begin with `name`; they serve the coroutines of one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, count: int, name: str) -> None:
        self._loop = loop
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._slots = asyncio.Semaphore(count)
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    async def run(self, function: Callable[[], T]) -> T:
        """Run a blocking function, when a thread is free, and give its result.

        A cancelled caller leaves at once; the thread stays taken until the function returns.
        """
        await self._slots.acquire()
        done: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(lambda: self._perform(function, done))
        return await done

    def alive(self) -> Mapping[str, bool]:
        """Whether each thread is alive, by name."""
        return {thread.name: thread.is_alive() for thread in self._threads}

    def close(self) -> None:
        """End the threads, each after its current call."""
        for _ in self._threads:
            self._jobs.put(None)

    def _perform(self, function: Callable[[], T], done: "asyncio.Future[T]") -> None:
        result, failure = None, None
        try:
            result = function()
        except BaseException as error:
            failure = error
        try:
            self._loop.call_soon_threadsafe(self._deliver, done, result, failure)
        except RuntimeError as error:
            if not self._loop.is_closed():  # otherwise there is no caller left
                _log.error("result dropped: event loop closed", error=str(error))

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
