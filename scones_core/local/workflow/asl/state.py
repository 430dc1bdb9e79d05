"""Base class of states, and the compiled state machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from scones_core.local.workflow.asl.errors import RuntimeFailure, StatesError
from scones_core.local.workflow.asl.flow import Flow, Settled
from scones_core.local.workflow.asl.frame import Frame
from scones_core.local.workflow.asl.retry import Catcher, Retrier
from scones_core.local.workflow.asl.scope import Scope


@dataclass(frozen=True)
class Transition:
    """The end of a visit to a state; `next` is None at a terminal one."""

    settled: Settled
    next: str | None


@dataclass(frozen=True)
class State:
    """A compiled state; subclasses give `run`."""

    name: str
    flow: Flow
    next: str | None
    retriers: Sequence[Retrier] = ()
    catchers: Sequence[Catcher] = ()

    type: ClassVar[str]
    counts_retries: ClassVar[bool] = False  # whether the Context Object tells a RetryCount
    can_be_aborted: ClassVar[bool] = False  # whether a history may have the event …StateAborted

    async def run(self, frame: Frame, scope: Scope) -> Transition:
        """Do the state's work. Raises StatesError."""
        raise NotImplementedError

    def failed(self, frame: Frame, error: StatesError) -> None:
        """Record that the state failed for good, where its type has an event for it."""

    def settled_before(self, frame: Frame) -> int:
        """Return the event after which a failed evaluation is recorded."""
        return frame.settled

    def targets(self) -> list[str]:
        """Return the names of the states to which this one may lead."""
        return ([self.next] if self.next else []) + [catcher.next for catcher in self.catchers]


class Branching(State):
    """Parallel and Map: states that run lines of states inside."""

    counts_retries = True
    can_be_aborted = True

    def failed(self, frame: Frame, error: StatesError) -> None:
        # A failure of the state's own fields ends the execution without this event.
        if not isinstance(error, RuntimeFailure):
            frame.record(f"{self.type}StateFailed")


@dataclass(frozen=True)
class StateMachine:
    """`timeout_seconds` bounds an execution; None for no bound."""

    start_at: str
    states: Mapping[str, State] = field(default_factory=dict)
    timeout_seconds: int | None = None
