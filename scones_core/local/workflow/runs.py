"""One execution that runs in this process."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from scones_core.local.workflow.asl.errors import RUNTIME, StatesError
from scones_core.local.workflow.asl.execution_events import record_end, record_start
from scones_core.local.workflow.asl.frame import Frame
from scones_core.local.workflow.asl.history import Event, History, context_time, utc_now
from scones_core.local.workflow.asl.interpreter import run_states
from scones_core.local.workflow.asl.map_run import Child, MapRun
from scones_core.local.workflow.asl.scope import Ask
from scones_core.local.workflow.asl.services import Response, Services
from scones_core.local.workflow.asl.state import StateMachine
from scones_core.local.workflow.functions import ACCOUNT_ID
from scones_core.ports import Execution, ExecutionStatus

T = TypeVar("T")
ROLE_ARN = f"arn:aws:iam::{ACCOUNT_ID}:role/scones-workflow"
ENDED = "The process that ran this execution ended before it did; start it again under another name."
MIN_AGE_SECONDS = 1.0
LARGE, LARGE_GROWTH = 5_000_000, 1.5  # characters of a history that is kept again only when it has grown so much
_STATES_ARN = f"arn:aws:states:local:{ACCOUNT_ID}"


@dataclass(frozen=True)
class World:
    """What executions call, shared by all of them; the functions are those of asl.services.Services."""

    invoke: Callable[[str, Any], Any]
    publish: Callable[[Mapping[str, Any]], Any]
    storage: Callable[[Callable[[Any], Any]], Any]
    keep_child: Callable[[MapRun, Child], Any]
    evaluate: Callable[[Callable[[Ask], Any]], Any]


def begun(execution: Execution) -> History:
    """Return the history of an execution of which nothing more is known."""
    history = History(lambda: execution.started)
    record_start(history, execution.input, ROLE_ARN)
    return history


@dataclass
class Run(Services):
    """stopping : the error and cause with which the execution is being stopped
    written, written_characters : how many events the last checkpoint holds, and characters where they are many
    """

    execution: Execution
    machine: StateMachine
    world: World
    history: History = field(default_factory=History)
    map_runs: list[MapRun] = field(default_factory=list)
    task: "asyncio.Task[Any] | None" = None
    stopping: StatesError | None = None
    written: int = 0
    written_characters: int = 0

    async def run(self) -> Execution:
        """Run to the end and return the ended execution."""
        self.task = asyncio.current_task()
        frame = Frame(self.history, self, self._context())
        record_start(self.history, self.execution.input, ROLE_ARN)
        status, output, error = await self._outcome(frame)
        self.task = None  # what has ended cannot be stopped any more
        record_end(self.history, frame.previous, status, output, error)
        ended = replace(self.execution, status=status, stopped=utc_now(), output=output)
        return replace(ended, error=error.error, cause=error.cause) if error else ended

    async def _outcome(self, frame: Frame) -> tuple[ExecutionStatus, Any, StatesError | None]:
        try:
            if self.stopping:
                raise asyncio.CancelledError
            async with asyncio.timeout(self.machine.timeout_seconds):
                output = await run_states(self.machine, frame, self.execution.input)
        except StatesError as error:
            return ExecutionStatus.FAILED, None, error
        except TimeoutError:
            return ExecutionStatus.TIMED_OUT, None, StatesError(None)
        except asyncio.CancelledError:
            return ExecutionStatus.ABORTED, None, self.stopping or StatesError(None, ENDED)
        except Exception as error:  # a defect must end this execution, and no other
            return ExecutionStatus.FAILED, None, StatesError(RUNTIME, f"{type(error).__name__}: {error}")
        return ExecutionStatus.SUCCEEDED, output, None

    def checkpoint_is_due(self) -> bool:
        """Tell whether there is something new to keep; most executions end before it is worth it."""
        age = (utc_now() - self.execution.started).total_seconds()
        if age <= MIN_AGE_SECONDS or self.history.characters < LARGE_GROWTH * self.written_characters:
            return False
        return bool(self.map_runs or len(self.history.events) > self.written)

    def new_events(self) -> list[Event]:
        """Return the whole history so far, and take it for kept."""
        self.written = len(self.history.events)
        self.written_characters = self.history.characters if self.history.characters > LARGE else 0
        return list(self.history.events)

    def stop(self, error: StatesError) -> None:
        """End the execution as ABORTED; called on the loop's thread. The first of several stops counts."""
        if self.stopping is None:
            self.stopping = error
            if self.task is not None:
                self.task.cancel()

    def broken(self, error: Exception) -> Execution:
        """Return the execution as FAILED by a defect of this program, with no more history than its start and end."""
        failure = StatesError(RUNTIME, f"{type(error).__name__}: {error}")
        self.history = begun(self.execution)
        record_end(self.history, 0, ExecutionStatus.FAILED, None, failure)
        ended = replace(self.execution, status=ExecutionStatus.FAILED, stopped=utc_now())
        return replace(ended, error=failure.error, cause=failure.cause)

    # asl.services.Services

    async def invoke(self, function: str, payload: Any) -> Response:
        response: Response = await self.world.invoke(function, payload)
        return response

    async def publish(self, message: Mapping[str, Any]) -> str:
        message_id: str = await self.world.publish(message)
        return message_id

    async def storage(self, operation: Callable[[Any], Any]) -> Any:
        return await self.world.storage(operation)

    async def evaluate(self, work: Callable[[Ask], T]) -> T:
        found: T = await self.world.evaluate(work)
        return found

    def opened(self, run: MapRun) -> None:
        self.map_runs.append(run)

    async def ended(self, run: MapRun, child: Child) -> None:
        await self.world.keep_child(run, child)

    def _context(self) -> Mapping[str, Any]:
        execution = self.execution
        return {
            "Execution": {
                "Id": f"{_STATES_ARN}:execution:{execution.machine}:{execution.name}",
                "Input": execution.input,
                "StartTime": context_time(execution.started),
                "Name": execution.name,
                "RoleArn": ROLE_ARN,
                "RedriveCount": 0,
            },
            "StateMachine": {
                "Id": f"{_STATES_ARN}:stateMachine:{execution.machine}",
                "Name": execution.machine,
            },
        }
