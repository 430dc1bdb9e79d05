"""One line of states: the execution itself, a branch of a Parallel, or an iteration of a Map."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol, TypeVar

from scones_core.local.workflow.asl.errors import RuntimeFailure
from scones_core.local.workflow.asl.history import UNTRUNCATED, History, context_time
from scones_core.local.workflow.asl.host import Host, evaluated
from scones_core.local.workflow.asl.jsontext import MAX_DEPTH, dumps, is_too_deep
from scones_core.local.workflow.asl.map_run import MapRun
from scones_core.local.workflow.asl.scope import Scope
from scones_core.local.workflow.asl.variables import Sizes

T = TypeVar("T")


class Entered(Protocol):
    """What a frame knows of the state it is in: a `state.State`."""

    type: ClassVar[str]
    can_be_aborted: ClassVar[bool]

    @property
    def name(self) -> str: ...


class Frame:
    """Where a line of states stands: its last event, its state, its Context Object, its variables.

    previous : id of the event that the next one follows
    settled : id of the event before the state was entered, or of the one that brought the state its result
    children : the lines that the present state has started
    map_runs : those of the whole execution, its child executions' too
    """

    def __init__(
        self,
        history: History,
        host: Host,
        context: Mapping[str, Any],
        map_runs: list[MapRun],
        *,
        previous: int = 0,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        self.history = history
        self.host = host
        self.context = dict(context)
        self.map_runs = map_runs
        self.previous = previous
        self.settled = previous
        self.variables: Mapping[str, Any] = variables or {}
        self.sizes = Sizes()
        self.state: Entered | None = None
        self.children: list[Frame] = []
        self._written: tuple[Any, str] = (None, "null")

    def scope(self, given: Any) -> Scope:
        return Scope(given, given, self.context, self.variables)

    async def evaluate(self, function: Callable[..., T], scope: Scope, *more: Any) -> T:
        """Return `function(scope, *more)` without holding up other executions; the function has no effects."""
        return await evaluated(self.host, function, scope, *more)

    def record(self, type_: str, **details: Mapping[str, Any]) -> int:
        """Append an event that follows this line's last one, and return its id."""
        self.previous = self.history.add(type_, self.previous, **details)
        return self.previous

    def note(self, type_: str, **details: Mapping[str, Any]) -> int:
        """Append an event that the next ones of this line do not follow, and return its id."""
        return self.history.add(type_, self.previous, **details)

    def text(self, value: Any) -> str:
        """Return the value's JSON text; a state's output is the next one's input, and is written once.

        Raises RuntimeFailure when it lies too deep.
        """
        if value is not self._written[0]:
            text = dumps(value)
            if is_too_deep(value, text):
                raise RuntimeFailure.because(f"The data has more than {MAX_DEPTH} levels of objects and arrays.")
            self._written = (value, text)
        return self._written[1]

    def enter(self, state: Entered, given: Any, **context: Any) -> int:
        """Record that a state is entered, and return the event's id."""
        self.settled = self.previous
        self.state = state
        self.context["State"] = {"Name": state.name, "EnteredTime": context_time(datetime.now(UTC)), **context}
        details = {"name": state.name, "input": self.text(given), "inputDetails": UNTRUNCATED}
        return self.record(f"{state.type}StateEntered", stateEnteredEventDetails=details)

    def branch(self) -> "Frame":
        """Start a line from where this one stands."""
        child = Frame(
            self.history, self.host, self.context, self.map_runs, previous=self.previous, variables=self.variables
        )
        self.children.append(child)
        return child
