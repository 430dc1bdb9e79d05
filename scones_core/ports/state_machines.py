"""Definitions of state machines."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class StateMachines(Protocol):
    """The definitions available to the workflow service."""

    def names(self) -> Sequence[str]: ...

    def definition(self, machine: str) -> Mapping[str, Any]:
        """The state machine's definition. Raises NotFound."""
        ...

    def put(self, machine: str, definition: Mapping[str, Any]) -> None:
        """Create or replace a definition. Raises BadDefinition naming the state and the field."""
        ...
