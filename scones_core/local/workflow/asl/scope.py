"""Data visible to an expression."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Ask = Callable[[str, str, Any], Any]


SECONDS = 1.0  # for all expressions of a field, but for the costly ones, each of which has as much


class Costly(Exception):
    """Raised by an expression that is not to be evaluated in this thread, which all executions share."""


class Budget:
    """The time that one field may take of this thread, on its own clock; it begins with the first expression."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until: float | None = None

    def is_spent(self) -> bool:
        now = time.thread_time()
        if self._until is None:
            self._until = now + self.seconds
        return now > self._until


UNLIMITED = Budget(math.inf)


@dataclass(frozen=True)
class Scope:
    """The data of one evaluation.

    input : the state's input as it was entered with
    data : what a JSONPath's `$` stands for
    context : the Context Object; what `$$` and `$states.context` stand for
    variables : what `$name` stands for, by name
    states : more fields of JSONata's `$states`, as {"result": …}
    ask : evaluates a costly expression elsewhere, like queries.pool.Pool.evaluate; None if the caller must not block
    budget : how long this thread may compute for one field
    """

    input: Any
    data: Any
    context: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    states: Mapping[str, Any] = field(default_factory=dict)
    ask: Ask | None = None
    budget: Budget = UNLIMITED

    def on_time(self) -> None:
        """To be called before each expression. Raises Costly, or ValueError where time may be taken but not so much."""
        if not self.budget.is_spent():
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
        return self._but(data=data)

    def having(self, **states: Any) -> "Scope":
        """Return the same scope with more fields of `$states`."""
        return self._but(states={**self.states, **states})

    def within(self, **context: Any) -> "Scope":
        """Return the same scope with more fields of the Context Object."""
        return self._but(context={**self.context, **context})

    def limited(self, seconds: float, ask: Ask | None = None) -> "Scope":
        """Return the same scope for one field, which may take so much time, and `ask`."""
        return self._but(budget=Budget(seconds), ask=ask)

    def _but(self, **changes: Any) -> "Scope":
        """dataclasses.replace takes five times as long, which every field of every state would wait for."""
        made = object.__new__(Scope)
        made.__dict__.update(self.__dict__, **changes)
        return made
