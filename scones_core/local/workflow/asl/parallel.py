"""Parallel: https://states-language.net/spec.html#parallel-state"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scones_core.local.workflow.asl.branches import Line, first_failure, note_aborts
from scones_core.local.workflow.asl.errors import BranchFailure
from scones_core.local.workflow.asl.frame import Frame
from scones_core.local.workflow.asl.interpreter import run_states
from scones_core.local.workflow.asl.scope import Scope
from scones_core.local.workflow.asl.state import Branching, StateMachine, Transition


@dataclass(frozen=True)
class Parallel(Branching):
    branches: Sequence[StateMachine] = ()
    type = "Parallel"

    async def run(self, frame: Frame, scope: Scope) -> Transition:
        effective = await frame.evaluate(self.flow.effective, scope)
        arguments = await frame.evaluate(self.flow.arguments, effective)
        frame.record("ParallelStateStarted")
        result = await self._run_branches(frame, arguments)
        frame.note("ParallelStateSucceeded")
        frame.settled = frame.previous
        return Transition(await frame.evaluate(self.flow.settle_result, effective, result), self.next)

    async def _run_branches(self, frame: Frame, given: Any) -> list[Any]:
        frame.children = []
        lines = [self._line(frame.branch(), branch, given) for branch in self.branches]
        last = {"frame": frame}  # the branch that ended last
        for line in lines:
            line.task.add_done_callback(lambda task, line=line: last.update(frame=line.frame))  # type: ignore[misc]
        failed = await first_failure(lines)
        frame.previous = failed.frame.previous if failed else last["frame"].previous
        if failed is None:
            frame.children = []
            return [line.task.result() for line in lines]
        frame.settled = frame.previous
        for line in lines:
            note_aborts(line.frame, frame)
        assert failed.error is not None
        raise BranchFailure(failed.error)

    def _line(self, frame: Frame, branch: StateMachine, given: Any) -> Line:
        return Line(frame, run_states(branch, frame, given))
