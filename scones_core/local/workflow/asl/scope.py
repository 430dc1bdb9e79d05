"""Data visible to an expression."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Ask = Callable[[str, str, Any], Any]


SECONDS = 1.0  # for all expressions of a field, but for the costly ones, each of which has as much


class Costly(Exception):
    """Raised by an expression that is not to be evaluated in this thread, which all executions share."""


@dataclass(frozen=True)
class Scope:
    """The data of one evaluation.

    input : the state's input as it was entered with
    data : what a JSONPath's `$` stands for
    context : the Context Object; what `$$` and `$states.context` stand for
    variables : what `$name` stands for, by name
    states : more fields of JSONata's `$states`, as {"result": …}
    ask : evaluates a costly expression elsewhere, like queries.pool.Pool.evaluate; None if the caller must not block
    until : when this thread, on its own clock in seconds, has computed enough for one field
    """

    input: Any
    data: Any
    context: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    states: Mapping[str, Any] = field(default_factory=dict)
    ask: Ask | None = None
    until: float = math.inf

    def on_time(self) -> None:
        """To be called before each expression. Raises Costly, or ValueError where time may be taken but not so much."""
        if time.thread_time() <= self.until:
            return
        if self.ask is None:
            raise Costly
        raise ValueError(f"the expressions of the field take more than {SECONDS:g} s together")

    def elsewhere(self, language: str, text: str, data: Any) -> Any:
        """Evaluate a costly expression. Raises Costly if the caller must not block, and errors of the pool."""
        if self.ask is None:
            raise Costly
        return self.ask(language, text, data)

    def about(self, data: Any) -> "Scope":
        """Return the same scope with `data` in the place of `$`."""
        return replace(self, data=data)

    def having(self, **states: Any) -> "Scope":
        """Return the same scope with more fields of `$states`."""
        return replace(self, states={**self.states, **states})

    def within(self, **context: Any) -> "Scope":
        """Return the same scope with more fields of the Context Object."""
        return replace(self, context={**self.context, **context})
