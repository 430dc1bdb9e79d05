"""What executions call here: functions, notifications, objects, and the store that keeps their children."""

import asyncio
import json
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scones_core.local.workflow.asl.errors import StatesError
from scones_core.local.workflow.asl.map_run import Child, MapRun
from scones_core.local.workflow.asl.scope import Ask
from scones_core.local.workflow.asl.services import Response
from scones_core.local.workflow.engine import Engine
from scones_core.local.workflow.functions import Functions
from scones_core.local.workflow.runs import World
from scones_core.local.workflow.store import Store
from scones_core.ports import Execution, ExecutionStatus


def make_world(
    engine: Engine, functions: Functions, clients: Mapping[str, Any], store: Store, owner: str, home: Path
) -> World:
    sns = clients.get("sns") or Outbox(home / "notifications.jsonl")

    async def invoke(function: str, payload: Any) -> Response:
        return await engine.run_blocking(lambda: functions.invoke(function, payload))

    async def publish(message: Mapping[str, Any]) -> str:
        return await engine.run_blocking(lambda: _published(sns, message))

    async def storage(operation: Callable[[Any], Any]) -> Any:
        return await engine.run_blocking(lambda: operation(clients["s3"]))

    async def keep_child(run: MapRun, child: Child) -> None:
        written = store.insert_ended(_execution(child), owner, run.arn, child.events)
        # A child that has ended is kept, even where its Map Run is cancelled meanwhile.
        await asyncio.shield(asyncio.wrap_future(written))

    async def evaluate(work: Callable[[Ask], Any]) -> Any:
        return await engine.evaluate(work)

    return World(invoke, publish, storage, keep_child, evaluate)


def _published(sns: Any, message: Mapping[str, Any]) -> str:
    try:
        return str(sns.publish(**message)["MessageId"])
    except Exception as error:  # boto3 makes its error classes as it goes; they share no base but this
        raise StatesError(f"SNS.{type(error).__name__}", str(error)) from error


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
