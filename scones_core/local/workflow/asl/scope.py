"""What an expression can see."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Scope:
    """The data of one evaluation.

    input : the state's input as it was entered with
    data : what a JSONPath's `$` stands for
    context : the Context Object; what `$$` and `$states.context` stand for
    variables : what `$name` stands for, by name
    states : more fields of JSONata's `$states`, as {"result": …}
    """

    input: Any
    data: Any
    context: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    states: Mapping[str, Any] = field(default_factory=dict)

    def about(self, data: Any) -> "Scope":
        """Return the same scope with `data` in the place of `$`."""
        return replace(self, data=data)

    def having(self, **states: Any) -> "Scope":
        """Return the same scope with more fields of `$states`."""
        return replace(self, states={**self.states, **states})

    def within(self, **context: Any) -> "Scope":
        """Return the same scope with more fields of the Context Object."""
        return replace(self, context={**self.context, **context})
