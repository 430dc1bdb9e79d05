"""A running execution of this process, and its host: functions, notifications, objects, the store."""

import asyncio
import json
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from scones_core.local.workflow.asl.errors import RUNTIME, StatesError, refusal
from scones_core.local.workflow.asl.execution_events import record_end, record_start
from scones_core.local.workflow.asl.frame import Frame
from scones_core.local.workflow.asl.history import Event, History, context_time, utc_now
from scones_core.local.workflow.asl.host import Host, Response
from scones_core.local.workflow.asl.interpreter import run_states
from scones_core.local.workflow.asl.map_run import Child, MapRun
from scones_core.local.workflow.asl.scope import Ask
from scones_core.local.workflow.asl.state import StateMachine
from scones_core.local.workflow.engine import Engine
from scones_core.local.workflow.functions import ACCOUNT_ID, Functions
from scones_core.local.workflow.store import Store
from scones_core.ports import Execution, ExecutionStatus

T = TypeVar("T")
ROLE_ARN = f"arn:aws:iam::{ACCOUNT_ID}:role/scones-workflow"
ENDED = "The process running this execution ended; start it again under another name."
MIN_AGE_SECONDS = 1.0
LARGE, LARGE_GROWTH = 5_000_000, 1.5  # characters of a history that is kept again only when it has grown so much
_STATES_ARN = f"arn:aws:states:local:{ACCOUNT_ID}"


def begun(execution: Execution) -> History:
    """Return the history of an execution of which nothing more is known."""
    history = History(lambda: execution.started)
    record_start(history, execution.input, ROLE_ARN)
    return history


@dataclass
class Run:
    """stopping : the error and cause with which the execution is being stopped
    written, written_characters : how many events the last checkpoint holds, and characters where they are many
    """

    execution: Execution
    machine: StateMachine
    host: Host
    history: History = field(default_factory=History)
    map_runs: list[MapRun] = field(default_factory=list)
    task: "asyncio.Task[Any] | None" = None
    stopping: StatesError | None = None
    written: int = 0
    written_characters: int = 0

    async def run(self) -> Execution:
        """Run to the end and return the ended execution."""
        self.task = asyncio.current_task()
        frame = Frame(self.history, self.host, self._context(), self.map_runs)
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


class EmbeddedHost:
    """The `asl.host.Host` shared by all executions."""

    def __init__(
        self, engine: Engine, functions: Functions, clients: Mapping[str, Any], store: Store, owner: str, home: Path
    ) -> None:
        self._engine = engine
        self._functions = functions
        self._s3 = clients.get("s3")
        self._sns = clients.get("sns") or Outbox(home / "notifications.jsonl")
        self._store = store
        self._owner = owner

    async def invoke(self, function: str, payload: Any) -> Response:
        return await self._engine.run_blocking(lambda: self._functions.invoke(function, payload))

    async def publish(self, message: Mapping[str, Any]) -> str:
        return await self._engine.run_blocking(lambda: _published(self._sns, message))

    async def storage(self, operation: Callable[[Any], Any]) -> Any:
        return await self._engine.run_blocking(lambda: operation(self._s3))

    async def evaluate(self, work: Callable[[Ask], T]) -> T:
        return await self._engine.evaluate(work)

    async def keep_child(self, run: MapRun, child: Child) -> None:
        written = self._store.insert_ended(_execution(child), self._owner, run.arn, child.events)
        # A child that has ended is kept, even where its Map Run is cancelled meanwhile.
        await asyncio.shield(asyncio.wrap_future(written))


def _published(sns: Any, message: Mapping[str, Any]) -> str:
    try:
        return str(sns.publish(**message)["MessageId"])
    except Exception as error:  # boto3 makes its error classes as it goes, and is not installed everywhere
        raise StatesError(f"SNS.{type(error).__name__}", _cause(error)) from error


def _cause(error: Exception) -> str:
    match getattr(error, "response", None):
        case {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": request_id},
        }:
            return refusal(message, "AmazonSNS", status, code, request_id)
    return str(error)


def _execution(child: Child) -> Execution:
    error = child.error or StatesError(None)
    return Execution(
        child.name,
        child.machine,
        ExecutionStatus(child.status),
        child.started,
        child.input,
        child.stopped,
        child.output,
        error.error,
        error.cause,
    )


class Outbox:
    """Stands in for SNS: appends every notification to a file, one JSON object a line."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def publish(self, **message: Any) -> Mapping[str, str]:
        message_id = str(uuid.uuid4())
        published = {"MessageId": message_id, "Timestamp": datetime.now(UTC).isoformat(), **message}
        with self._lock, self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(published, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return {"MessageId": message_id}
