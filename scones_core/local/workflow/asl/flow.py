"""Data flow into and out of a state, in either query language.

https://states-language.net/spec.html#filters and https://states-language.net/spec.html#arguments-and-output
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from scones_core.local.workflow.asl.fields import MAX_INTEGER, Fields
from scones_core.local.workflow.asl.scope import Scope

Evaluate = Callable[[Scope], Any]


@dataclass(frozen=True)
class Settled:
    """Result of a state: its output, and the variables it assigns."""

    output: Any
    assigned: Mapping[str, Any] = field(default_factory=dict)


class Flow(Protocol):
    """The compiled input and output fields of one state, Choice Rule or Catcher."""

    def effective(self, scope: Scope) -> Scope:
        """Return the scope in which the state works: InputPath applied."""
        ...

    def arguments(self, scope: Scope) -> Any:
        """Return what the state works on: Parameters or Arguments."""
        ...

    def settle(self, scope: Scope) -> Settled:
        """Return output and variables of a state that has no result."""
        ...

    def settle_result(self, scope: Scope, result: Any) -> Settled:
        """Return output and variables of a state that has one."""
        ...

    def settle_error(self, scope: Scope, error_output: Any) -> Settled:
        """Return output and variables of a Catcher."""
        ...


class QueryLanguage(Protocol):
    """Compiles the fields that depend on the query language."""

    name: str
    arguments_field: str  # of a Task, an ItemReader and a ResultWriter

    def flow(self, fields: Fields, *allowed: str) -> Flow:
        """Compile the input and output fields.

        allowed : those of Parameters, Arguments, ResultSelector and ResultPath that this type of state may have
        """
        ...

    def template(self, fields: Fields, name: str) -> Evaluate:
        """Compile a field that may hold any JSON with expressions in it."""
        ...

    def integer(self, fields: Fields, name: str, *, minimum: int = 0, maximum: int = MAX_INTEGER) -> Evaluate | None:
        """Compile a field that gives an integer, or its …Path form; None where neither is given."""
        ...

    def number(self, fields: Fields, name: str, *, minimum: float, maximum: float) -> Evaluate | None: ...

    def text(self, fields: Fields, name: str) -> Evaluate | None: ...

    def items(self, fields: Fields) -> Evaluate:
        """Compile where a Map's items come from; gives the list."""
        ...
