"""Choice: https://states-language.net/spec.html#choice-state"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scones_core.local.workflow.asl.errors import NO_CHOICE_MATCHED, StateFailure
from scones_core.local.workflow.asl.flow import Flow
from scones_core.local.workflow.asl.frame import Frame
from scones_core.local.workflow.asl.scope import Scope
from scones_core.local.workflow.asl.state import State, Transition

Condition = Callable[[Scope], bool]


@dataclass(frozen=True)
class ChoiceRule:
    condition: Condition
    next: str
    flow: Flow


@dataclass(frozen=True)
class Choice(State):
    """`next` is the state's Default."""

    rules: Sequence[ChoiceRule] = ()
    type = "Choice"

    async def run(self, frame: Frame, scope: Scope) -> Transition:
        return await frame.evaluate(self._chosen, scope)

    def _chosen(self, scope: Scope) -> Transition:
        effective = self.flow.effective(scope)
        for rule in self.rules:
            if rule.condition(effective):
                return Transition(rule.flow.settle(effective), rule.next)
        if self.next is None:
            cause = "Failed to transition out of the state. The state does not point to a next state."
            raise StateFailure(NO_CHOICE_MATCHED, cause)
        return Transition(self.flow.settle(effective), self.next)

    def targets(self) -> list[str]:
        return [rule.next for rule in self.rules] + super().targets()
