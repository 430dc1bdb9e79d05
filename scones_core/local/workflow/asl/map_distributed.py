"""Map in its distributed mode: every item, or batch of items, is a child execution of its own.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from scones_core.local.workflow.asl.branches import ended
from scones_core.local.workflow.asl.errors import EXCEED_TOLERATED_FAILURE_THRESHOLD, BranchFailure, StatesError
from scones_core.local.workflow.asl.execution_events import record_end, record_start
from scones_core.local.workflow.asl.flow import Evaluate
from scones_core.local.workflow.asl.frame import Frame
from scones_core.local.workflow.asl.history import History, context_time
from scones_core.local.workflow.asl.host import Host, evaluated
from scones_core.local.workflow.asl.interpreter import run_states
from scones_core.local.workflow.asl.item_batcher import Batches, ItemBatch, ItemBatcher
from scones_core.local.workflow.asl.item_reader import Call, ItemReader, Page
from scones_core.local.workflow.asl.map_inline import map_item
from scones_core.local.workflow.asl.map_run import Child, MapRun
from scones_core.local.workflow.asl.result_writer import Export, ResultWriter, transformed
from scones_core.local.workflow.asl.scope import Scope
from scones_core.local.workflow.asl.state import Branching, StateMachine, Transition

# AWS runs up to 10,000 children at once; here they share a few workers, and each holds memory.
MAX_CHILDREN_AT_ONCE = 100
READ_AHEAD = 10_000  # items read before their turn, so that progress knows the total early
EXPRESS_SECONDS = 300  # https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html


@dataclass(frozen=True)
class DistributedMap(Branching):
    """`reader` is None where the items come from the state's input; `express` children keep no history."""

    items: Evaluate = lambda scope: scope.data
    processor: StateMachine = field(default_factory=lambda: StateMachine(""))
    reader: ItemReader | None = None
    item_selector: Evaluate | None = None
    batcher: ItemBatcher | None = None
    writer: ResultWriter | None = None
    max_concurrency: Evaluate | None = None
    tolerated_failure_count: Evaluate | None = None
    tolerated_failure_percentage: Evaluate | None = None
    label: str | None = None
    express: bool = False
    type = "Map"

    async def run(self, frame: Frame, scope: Scope) -> Transition:
        effective = await frame.evaluate(self.flow.effective, scope)
        limit = await frame.evaluate(self.max_concurrency, effective) if self.max_concurrency else 0
        items = None if self.reader else await frame.evaluate(self.items, effective)
        frame.record("MapStateStarted", mapStateStartedEventDetails={"length": len(items or ())})
        count, percentage = await frame.evaluate(self._tolerance, effective)
        plan = await frame.evaluate(self._plan, effective)
        run = self._map_run(frame, limit, count, percentage)
        frame.record("MapRunStarted", mapRunStartedEventDetails={"mapRunArn": run.arn})
        frame.map_runs.append(run)
        started = frame.previous
        result = await self._result(frame, plan, run, items)
        frame.note("MapStateSucceeded")
        frame.previous = frame.settled = started  # since November 2024; until then, MapRunSucceeded
        return Transition(await frame.evaluate(self.flow.settle_result, effective, result), self.next)

    async def _result(self, frame: Frame, plan: "Plan", run: MapRun, items: Page | None) -> Any:
        try:
            result = await Children(self, frame, plan, run).run(items)
        except StatesError as error:
            run.close("FAILED")
            frame.record("MapRunFailed", mapRunFailedEventDetails=error.details())
            frame.settled = frame.previous
            raise BranchFailure(error) from None
        except asyncio.CancelledError:
            run.close("ABORTED")
            raise
        run.close("SUCCEEDED")
        frame.record("MapRunSucceeded")
        return result

    def _tolerance(self, scope: Scope) -> tuple[int | None, float | None]:
        return (
            self.tolerated_failure_count(scope) if self.tolerated_failure_count else None,
            self.tolerated_failure_percentage(scope) if self.tolerated_failure_percentage else None,
        )

    def _plan(self, scope: Scope) -> "Plan":
        return Plan(
            scope,
            self.reader.call(scope) if self.reader else None,
            self.batcher.batches(scope) if self.batcher else None,
            self.writer.arguments(scope) if self.writer and self.writer.arguments else None,
        )

    def _map_run(self, frame: Frame, limit: int, count: int | None, percentage: float | None) -> MapRun:
        machine = frame.context["StateMachine"]
        label = self.label or str(uuid.uuid4())
        arn = f"{machine['Id'].replace(':stateMachine:', ':mapRun:')}/{label}:{uuid.uuid4()}"
        return MapRun(
            arn,
            frame.context["Execution"]["Id"],
            f"{machine['Name']}/{label}",
            f"{machine['Id']}/{label}",
            limit,
            count,
            percentage,
        )


@dataclass(frozen=True)
class Plan:
    """The fields of the state, evaluated before the Map Run starts: their failures are the state's own."""

    scope: Scope
    reading: Call | None
    batches: Batches | None
    destination: dict[str, Any] | None


class Children:
    """Starts the children of one Map Run as places become free, and gathers their results."""

    def __init__(self, state: DistributedMap, frame: Frame, plan: Plan, run: MapRun) -> None:
        self.state = state
        self.host: Host = frame.host
        self.map_runs = frame.map_runs
        self.plan = plan
        self.map_run = run
        self.context = frame.context
        self.export: Export | None = None
        self.results: dict[int, list[Any]] = {}
        self.running: set[asyncio.Task[None]] = set()

    async def run(self, items: Page | None) -> Any:
        """Give the Map state's result. Raises StatesError when more children fail than are tolerated."""
        if self.state.writer and self.plan.destination is not None:
            self.export = self.state.writer.open(self.host, self.plan.destination, self.map_run)
        limit = min(self.map_run.max_concurrency or MAX_CHILDREN_AT_ONCE, MAX_CHILDREN_AT_ONCE)
        try:
            number = 0
            async with aclosing(self._batches(items)) as batches:
                async for batch in batches:
                    await self._until_fewer_than(limit)
                    child = self.map_run.child(batch.input, batch.items)
                    self.running.add(asyncio.ensure_future(self._run_child(number, child)))
                    number += 1
            await self._until_fewer_than(1)
        finally:
            await ended(self.running)
        if self.export:
            return await self.export.close()
        return [record for number in sorted(self.results) for record in self.results[number]]

    async def _until_fewer_than(self, limit: int) -> None:
        """Wait for a free place. Raises what a child's bookkeeping raised, or that too many have failed."""
        while len(self.running) >= limit:
            done, self.running = await asyncio.wait(self.running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            self._check_tolerance()

    def _check_tolerance(self) -> None:
        if self.map_run.exceeds_tolerance():
            cause = "The specified tolerated failure threshold was exceeded"
            raise StatesError(EXCEED_TOLERATED_FAILURE_THRESHOLD, cause)

    async def _batches(self, items: Page | None) -> AsyncGenerator[ItemBatch, None]:
        """Yield the children's inputs: items, selected and batched."""
        batches = self.plan.batches
        if batches:
            batches.check()
        index = 0
        async for item in self._items(items):
            selected = await self._selected(index, item)
            index += 1
            for full in batches.add(selected) if batches else [ItemBatch(selected, 1)]:
                yield full
        for rest in batches.rest() if batches else ():
            yield rest

    async def _selected(self, index: int, item: Any) -> Any:
        if self.state.item_selector is None:
            return item
        return await evaluated(self.host, self.state.item_selector, self.plan.scope.within(Map=map_item(index, item)))

    async def _items(self, given: Page | None) -> AsyncIterator[Any]:
        reader, call = self.state.reader, self.plan.reading
        pages = reader.pages(self.host, call) if reader and call else _one_page(given or [])
        ahead: deque[Any] = deque()
        while not self.map_run.read or ahead:
            while not self.map_run.read and len(ahead) < READ_AHEAD:
                page = await anext(pages, None)
                self.map_run.read = page is None
                ahead.extend(page or ())
                self.map_run.found(len(page or ()))
            if ahead:
                yield ahead.popleft()

    async def _run_child(self, number: int, child: Child) -> None:
        history = Unkept() if self.state.express else History()
        # A distributed Map's children see no variables of the states around it.
        frame = Frame(history, self.host, self._child_context(child), self.map_runs)
        record_start(history, child.input, frame.context["Execution"]["RoleArn"])
        try:
            async with asyncio.timeout(EXPRESS_SECONDS if self.state.express else None):
                child.end("SUCCEEDED", output=await run_states(self.state.processor, frame, child.input))
        except StatesError as error:
            child.end("FAILED", error=error)
        except TimeoutError:
            child.end("TIMED_OUT", error=StatesError(None))
        except asyncio.CancelledError:
            child.end("ABORTED", error=StatesError(None))
            await self._keep(child, history, frame)
            raise
        await self._keep(child, history, frame)
        if self.export:
            await self.export.add(child)
        else:
            writer = self.state.writer
            self.results[number] = transformed(child, writer.transformation if writer else "COMPACT")

    async def _keep(self, child: Child, history: History, frame: Frame) -> None:
        """Count a child that has ended, and hand it on with its history."""
        record_end(history, frame.previous, child.status, child.output, child.error)
        child.events = history.events
        self.map_run.ended(child)
        if not self.state.express:
            await self.host.keep_child(self.map_run, child)

    def _child_context(self, child: Child) -> Mapping[str, Any]:
        execution = self.context["Execution"] | {
            "Id": child.arn,
            "Input": child.input,
            "StartTime": context_time(child.started),
            "Name": child.name,
        }
        machine = {"Id": child.machine_arn, "Name": child.machine}
        return {"Execution": execution, "StateMachine": machine}


class Unkept(History):
    """The history of an EXPRESS child: counted, but not kept, as on AWS."""

    def end(self, type_: str, previous: int, **details: Mapping[str, Any]) -> int:
        return previous + 1


async def _one_page(items: Page) -> AsyncIterator[Page]:
    yield items
