"""A world for state machines in tests: functions and objects in memory, and waits that take no time."""

import asyncio
import atexit
import inspect
import json
import selectors
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from scones_core.local.clients import S3Client
from scones_core.local.queries.pool import Pool
from scones_core.local.workflow.asl.compile import compile_machine
from scones_core.local.workflow.asl.errors import StatesError
from scones_core.local.workflow.asl.map_run import Child, MapRun
from scones_core.local.workflow.asl.scope import Ask
from scones_core.local.workflow.functions import FunctionContext, Functions
from scones_core.local.workflow.run import Run
from scones_core.ports import Execution, ExecutionStatus, ObjectInfo

POOL = Pool(1)  # its process serves all tests of a session
atexit.register(POOL.close)
EMPTY: Any = object()  # in place of an input, so that null can be one


class SkippingSelector(selectors.DefaultSelector):
    """Waits for nothing: where the loop would sleep, its clock jumps, and at no other time does it move."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout:
            self.skipped += timeout
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = SkippingSelector()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.skipped

    @property
    def skipped(self) -> float:
        """Seconds of waiting that were skipped."""
        return self._skipping.skipped


class MemoryObjects:
    """An ObjectStore in memory."""

    bucket = "bucket"

    def __init__(self, objects: Mapping[str, bytes] | None = None) -> None:
        self.objects = dict(objects or {})

    def put(self, key: str, data: bytes) -> None:
        self.objects[key] = data

    def get(self, key: str) -> bytes:
        from scones_core.errors import NotFound

        if key not in self.objects:
            raise NotFound(key)
        return self.objects[key]

    def list(self, prefix: str = "", *, after: str = "") -> Any:
        moment = datetime(2025, 10, 4, tzinfo=UTC)
        for key in sorted(self.objects):
            if key.startswith(prefix) and key > after:
                yield ObjectInfo(key, len(self.objects[key]), moment, "etag")

    def exists(self, key: str) -> bool:
        return key in self.objects

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)


@dataclass
class Ended:
    """An execution after its end. `seconds` is how long it would have waited."""

    execution: Execution
    events: Sequence[Mapping[str, Any]]
    seconds: float
    map_runs: list[MapRun] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    published: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> str:
        return str(self.execution.status)

    @property
    def output(self) -> Any:
        return self.execution.output

    @property
    def error(self) -> str | None:
        return self.execution.error

    @property
    def cause(self) -> str | None:
        return self.execution.cause

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def links(self) -> list[int]:
        """The previousEventId of every event, in the order of the ids."""
        return [event["previousEventId"] for event in self.events]

    def details(self, type_: str) -> list[Mapping[str, Any]]:
        """The details of every event of a type."""
        found = [event for event in self.events if event["type"] == type_]
        return [next((v for k, v in event.items() if k.endswith("EventDetails")), {}) for event in found]


def functions_of(given: Mapping[str, Callable[..., Any]]) -> Functions:
    """Functions of one argument, the event, or of Lambda's two."""

    def called(function: Callable[..., Any]) -> Callable[[Any, FunctionContext, Mapping[str, str]], Any]:
        wants_context = len(inspect.signature(function).parameters) > 1
        return lambda event, context, environ: function(event, context) if wants_context else function(event)

    return Functions({name: called(function) for name, function in given.items()}, dict)


def run(
    definition: Mapping[str, Any],
    given: Any = EMPTY,
    *,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    objects: MemoryObjects | None = None,
    stop_after: float | None = None,
) -> Ended:
    """Run a definition to its end; `stop_after` stops it after so many seconds of waiting."""
    machine = compile_machine(json.loads(json.dumps(definition)))
    execution = Execution("run", "machine", ExecutionStatus.RUNNING, datetime.now(UTC), {} if given is EMPTY else given)
    world = Everything(functions_of(functions or {}), S3Client(objects or MemoryObjects()))
    one = Run(execution, machine, world)
    loop = SkippingLoop()

    async def main() -> Execution:
        if stop_after is not None:
            loop.call_later(stop_after, lambda: one.stop(StatesError("Stopped", "by the test")))
        return await asyncio.ensure_future(one.run())

    try:
        ended = loop.run_until_complete(main())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    return Ended(ended, one.history.events, loop.skipped, one.map_runs, world.children, world.published)


class Everything:
    """What executions call, in memory; the function `never` never answers."""

    def __init__(self, functions: Functions, s3: S3Client) -> None:
        self.functions = functions
        self.s3 = s3
        self.children: list[Child] = []
        self.published: list[Mapping[str, Any]] = []

    async def invoke(self, function: str, payload: Any) -> Any:
        await asyncio.sleep(1e9 if function.endswith("never") else 0)
        return self.functions.invoke(function, payload)

    async def publish(self, message: Mapping[str, Any]) -> str:
        self.published.append(message)
        return f"message-{len(self.published)}"

    async def storage(self, operation: Callable[[Any], Any]) -> Any:
        await asyncio.sleep(0)
        return operation(self.s3)

    async def evaluate(self, work: Callable[[Ask], Any]) -> Any:
        return work(POOL.evaluate)

    async def keep_child(self, map_run: MapRun, child: Child) -> None:
        self.children.append(child)
