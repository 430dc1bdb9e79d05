"""Runs several lines of states at once: the branches of a Parallel, the iterations of a Map."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from scones_core.local.workflow.asl.errors import StatesError
from scones_core.local.workflow.asl.frame import Frame


class Line:
    """A line of states that runs as a task of its own."""

    def __init__(self, frame: Frame, work: Coroutine[Any, Any, Any]) -> None:
        self.frame = frame
        self.task = asyncio.ensure_future(work)
        # Several lines can fail at once, and only the first one's error is asked for.
        self.task.add_done_callback(lambda task: task.cancelled() or task.exception())

    @property
    def error(self) -> StatesError | None:
        """Return the error with which the line ended, None while it runs or when it succeeded."""
        if not self.task.done() or self.task.cancelled():
            return None
        error = self.task.exception()
        if error is not None and not isinstance(error, StatesError):
            raise error
        return error


async def first_failure(lines: Sequence[Line]) -> Line | None:
    """Wait until every line has ended, or one has failed; the failed one is returned and the others are ended."""
    running = {line.task for line in lines}
    try:
        while running:
            _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            failed = next((line for line in lines if line.error is not None), None)
            if failed is not None:
                return failed
        return None
    finally:
        await ended(running)


async def ended(tasks: Iterable["asyncio.Task[Any] | asyncio.Future[Any]"]) -> None:
    """Cancel the tasks and wait until they have ended."""
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def note_aborts(frame: Frame, parent: Frame) -> None:
    """Note that the state in which a line stands is aborted, with the lines inside it.

    All these events follow the one that failed the parent's state, which is where `parent` stands.
    """
    if frame.state is None or not frame.state.can_be_aborted:
        return
    parent.note(f"{frame.state.type}StateAborted")
    for child in frame.children:
        note_aborts(child, parent)
