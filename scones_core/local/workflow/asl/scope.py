"""What an expression can see."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Ask = Callable[[str, str, Any], Any]


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
    ask : evaluates a costly expression elsewhere, as queries.pool.Pool.evaluate does; None where nobody may wait for it
    """

    input: Any
    data: Any
    context: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    states: Mapping[str, Any] = field(default_factory=dict)
    ask: Ask | None = None

    def elsewhere(self, language: str, text: str, data: Any) -> Any:
        """Evaluate a costly expression. Raises Costly where nobody may wait for it, and what the pool raises."""
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
