"""Map in its inline mode: https://states-language.net/spec.html#map-state"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scones_core.local.workflow.asl.branches import Line, ended, note_aborts
from scones_core.local.workflow.asl.errors import BranchFailure, StateFailure, StatesError
from scones_core.local.workflow.asl.flow import Evaluate
from scones_core.local.workflow.asl.frame import Frame
from scones_core.local.workflow.asl.interpreter import run_states
from scones_core.local.workflow.asl.scope import Scope
from scones_core.local.workflow.asl.state import Branching, StateMachine, Transition

# https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
MAX_ITERATIONS_AT_ONCE = 40


@dataclass(frozen=True)
class InlineMap(Branching):
    """`item_selector` gives one iteration's input, in a scope with Map.Item in its Context Object."""

    items: Evaluate = lambda scope: scope.data
    processor: StateMachine = field(default_factory=lambda: StateMachine(""))
    item_selector: Evaluate | None = None
    max_concurrency: Evaluate | None = None
    type = "Map"

    async def run(self, frame: Frame, scope: Scope) -> Transition:
        effective = await frame.evaluate(self.flow.effective, scope)
        limit = await frame.evaluate(self.max_concurrency, effective) if self.max_concurrency else 0
        items = await frame.evaluate(self.items, effective)
        frame.record("MapStateStarted", mapStateStartedEventDetails={"length": len(items)})
        result = await _Iterations(self, frame, effective, items).run(
            min(limit or MAX_ITERATIONS_AT_ONCE, MAX_ITERATIONS_AT_ONCE)
        )
        frame.note("MapStateSucceeded")
        frame.settled = frame.previous
        return Transition(await frame.evaluate(self.flow.settle_result, effective, result), self.next)


def map_item(index: int, value: Any) -> Mapping[str, Any]:
    """Return the field Map of the Context Object of one iteration."""
    return {"Item": {"Index": index, "Value": value}}


class _Iterations:
    """One attempt at a Map state: starts iterations as places become free, and gathers their outputs."""

    def __init__(self, state: InlineMap, frame: Frame, scope: Scope, items: list[Any]) -> None:
        self.state = state
        self.frame = frame
        self.scope = scope
        self.items = items
        self.lines: list[Line] = []
        self.running: dict[asyncio.Future[Any], int] = {}
        self.unfinished: set[int] = set()
        frame.children = []

    async def run(self, limit: int) -> list[Any]:
        try:
            for _ in range(min(limit, len(self.items))):
                self._start(self.frame.previous)
            while self.running:
                done, _ = await asyncio.wait(self.running, return_when=asyncio.FIRST_COMPLETED)
                for index in sorted(self.running.pop(task) for task in done):
                    self._finish(index)
        finally:
            await ended(self.running)
        self.frame.children = []
        return [line.task.result() for line in self.lines]

    def _start(self, previous: int) -> None:
        """Start the next iteration; its first event follows the one that made room for it."""
        index, item = len(self.lines), self.items[len(self.lines)]
        frame = self.frame.branch()
        frame.previous = previous
        frame.context["Map"] = map_item(index, item)
        frame.record("MapIterationStarted", mapIterationStartedEventDetails=self._named(index))
        line = Line(frame, self._iterate(frame, item))
        self.lines.append(line)
        self.running[line.task] = index
        self.unfinished.add(index)

    async def _iterate(self, frame: Frame, item: Any) -> Any:
        selector = self.state.item_selector
        given = await frame.evaluate(selector, self.scope.within(Map=frame.context["Map"])) if selector else item
        return await run_states(self.state.processor, frame, given)

    def _finish(self, index: int) -> None:
        line = self.lines[index]
        if line.error is not None:
            raise self._failure(index, line.error)
        self.unfinished.discard(index)
        succeeded = line.frame.note("MapIterationSucceeded", mapIterationSucceededEventDetails=self._named(index))
        if len(self.lines) < len(self.items):
            self._start(line.frame.previous)
        elif not self.running:
            self.frame.previous = succeeded

    def _failure(self, failed: int, error: StatesError) -> StatesError:
        """Note what becomes of the iterations, and return the error with which the state fails."""
        self.frame.previous = self.frame.settled = self.lines[failed].frame.previous
        for index in sorted(self.unfinished):
            if index == failed:
                self.frame.note("MapIterationFailed", mapIterationFailedEventDetails=self._named(index))
            else:
                self.frame.note("MapIterationAborted", mapIterationAbortedEventDetails=self._named(index))
            note_aborts(self.lines[index].frame, self.frame)
        # An ItemSelector belongs to the Map state itself, and fails it directly.
        return error if isinstance(error, StateFailure) and not error.is_located else BranchFailure(error)

    def _named(self, index: int) -> Mapping[str, Any]:
        return {"name": self.state.name, "index": index}
