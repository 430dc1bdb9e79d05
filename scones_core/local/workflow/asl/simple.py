"""Pass, Succeed and Fail: https://states-language.net/spec.html#pass-state and the following."""

from dataclasses import dataclass
from typing import Any

from scones_core.local.workflow.asl.errors import StatesError
from scones_core.local.workflow.asl.flow import Evaluate, Settled
from scones_core.local.workflow.asl.frame import Frame
from scones_core.local.workflow.asl.scope import Scope
from scones_core.local.workflow.asl.state import State, Transition

NO_RESULT: Any = object()


@dataclass(frozen=True)
class Pass(State):
    """`result` is NO_RESULT where the field Result is missing; a JSONata Pass never has one."""

    result: Any = NO_RESULT
    has_data: bool = True  # whether the query language gives the state a result at all
    type = "Pass"

    async def run(self, frame: Frame, scope: Scope) -> Transition:
        return Transition(await frame.evaluate(self._settled, scope), self.next)

    def _settled(self, scope: Scope) -> Settled:
        effective = self.flow.effective(scope)
        if not self.has_data:
            return self.flow.settle(effective)
        result = self.flow.arguments(effective) if self.result is NO_RESULT else self.result
        return self.flow.settle_result(effective, result)


@dataclass(frozen=True)
class Succeed(State):
    type = "Succeed"

    async def run(self, frame: Frame, scope: Scope) -> Transition:
        return Transition(await frame.evaluate(lambda scope: self.flow.settle(self.flow.effective(scope)), scope), None)


@dataclass(frozen=True)
class Fail(State):
    """`error` and `cause` give texts, or are None where they are not given."""

    error: Evaluate | None = None
    cause: Evaluate | None = None
    type = "Fail"

    async def run(self, frame: Frame, scope: Scope) -> Transition:
        raise await frame.evaluate(self._error, scope)

    def _error(self, scope: Scope) -> StatesError:
        return StatesError(self.error(scope) if self.error else None, self.cause(scope) if self.cause else None)
