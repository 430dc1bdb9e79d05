"""Task: https://states-language.net/spec.html#task-state"""

import asyncio
import math
from dataclasses import dataclass
from typing import Any

from scones_core.local.workflow.asl.errors import DATA_LIMIT_EXCEEDED, TIMEOUT, StatesError, TooLarge
from scones_core.local.workflow.asl.flow import Evaluate
from scones_core.local.workflow.asl.frame import Frame
from scones_core.local.workflow.asl.integrations import Integration
from scones_core.local.workflow.asl.jsontext import dumps, is_too_large
from scones_core.local.workflow.asl.scope import Scope
from scones_core.local.workflow.asl.state import State, Transition


@dataclass(frozen=True)
class Task(State):
    """A call of `integration`; the two durations are in seconds, and None where they are not given.

    A heartbeat is recorded but never missed: nothing that can be called here sends heartbeats.
    """

    integration: Integration | None = None
    timeout: Evaluate | None = None
    heartbeat: Evaluate | None = None
    type = "Task"
    counts_retries = True
    can_be_aborted = True

    async def run(self, frame: Frame, scope: Scope) -> Transition:
        assert self.integration is not None
        effective = await frame.evaluate(self.flow.effective, scope)
        arguments = await frame.evaluate(self.flow.arguments, effective)
        durations = await frame.evaluate(self._durations, effective)
        try:
            result = await self._call(self.integration, frame, arguments, durations)
        finally:
            frame.settled = frame.previous
        return Transition(await frame.evaluate(self.flow.settle_result, effective, result), self.next)

    def _durations(self, scope: Scope) -> dict[str, int]:
        given = {"timeoutInSeconds": self.timeout, "heartbeatInSeconds": self.heartbeat}
        return {name: evaluate(scope) for name, evaluate in given.items() if evaluate}

    async def _call(self, integration: Integration, frame: Frame, arguments: Any, durations: dict[str, int]) -> Any:
        text = dumps(arguments)
        if is_too_large(text):
            raise TooLarge(f"The state/task '{self.name}' was given arguments that exceed the maximum number of bytes.")
        integration.scheduled(frame, text, durations)
        await asyncio.sleep(0)  # AWS schedules the tasks of all branches before the first one starts
        integration.started(frame)
        try:
            async with asyncio.timeout_at(_deadline(durations.get("timeoutInSeconds"))):
                result = await integration.call(frame.host, arguments)
        except TimeoutError:
            integration.timed_out(frame, StatesError(TIMEOUT))
            raise StatesError(TIMEOUT) from None
        except StatesError as error:
            integration.failed(frame, error)
            raise
        return self._succeeded(integration, frame, result)

    def _succeeded(self, integration: Integration, frame: Frame, result: Any) -> Any:
        text = frame.text(result)
        if not is_too_large(text):
            integration.succeeded(frame, text)
            return result
        error = StatesError(
            DATA_LIMIT_EXCEEDED,
            f"The state/task '{integration.label}' returned a result with a size exceeding "
            "the maximum number of bytes service limit.",
        )
        integration.failed(frame, error)
        raise error


def _deadline(seconds: int | None) -> float | None:
    """Return the loop's time of the deadline, on a grid: tasks that start together time out together, as on AWS."""
    if seconds is None:
        return None
    return math.ceil((asyncio.get_running_loop().time() + seconds) * 100) / 100
