"""State machine variables: their names, scopes and sizes.

https://states-language.net/spec.html#state-machine-variables
https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scones_core.local.workflow.asl.errors import DefinitionError, TooLarge
from scones_core.local.workflow.asl.fields import Fields
from scones_core.local.workflow.asl.jsontext import MAX_PAYLOAD_BYTES, dumps, size

MAX_NAME = 80
MAX_TOTAL_BYTES = 10 * 1024 * 1024


def checked_names(fields: Fields, names: Iterable[str]) -> None:
    """Refuse what cannot name a variable."""
    for name in names:
        if not name.isidentifier() or len(name) > MAX_NAME:
            raise fields.error(
                "Assign", f"gives the name {name!r}, which is no identifier of at most {MAX_NAME} characters"
            )
        if name == "states":
            raise fields.error("Assign", "must not give a value to 'states', which is reserved")


def check_scopes(lines: Mapping[str, Any], outer: frozenset[str] = frozenset()) -> None:
    """Refuse a variable that states inside a Parallel or a Map assign as well as the states around it.

    The Parallel or Map may assign it itself, once its states have ended.

    lines : a definition, a branch or an item processor, known to be well-formed
    """
    states: Mapping[str, Mapping[str, Any]] = lines["States"]
    assigned = {name: frozenset(_assigned(state)) for name, state in states.items()}
    for name, variables in assigned.items():
        for variable in sorted(variables & outer):
            raise DefinitionError(
                f"State {name!r}: the field 'Assign' gives a value to {variable!r}, as a state outside of the Map or "
                "Parallel does; names must differ between them."
            )
    for name, state in states.items():
        others = outer.union(*(variables for other, variables in assigned.items() if other != name))
        for inner in _inner_lines(state):
            check_scopes(inner, others)


def _assigned(state: Mapping[str, Any]) -> Iterator[str]:
    for given in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        for name in given.get("Assign", ()):
            yield name.removesuffix(".$")


def _inner_lines(state: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from state.get("Branches", ())
    for field in ("ItemProcessor", "Iterator"):
        if field in state:
            yield state[field]


class Sizes:
    """The sizes of the variables of one line of states."""

    def __init__(self) -> None:
        self._bytes: dict[str, int] = {}

    def check(self, state: str, assigned: Mapping[str, Any]) -> None:
        """Take new values into account. Raises TooLarge."""
        new = {name: size(dumps(value)) for name, value in assigned.items()}
        if sum(new.values()) > MAX_PAYLOAD_BYTES:
            raise TooLarge(f"The state/task '{state}' assigns variables that exceed the maximum number of bytes.")
        self._bytes |= new
        if sum(self._bytes.values()) > MAX_TOTAL_BYTES:
            raise TooLarge(f"The variables assigned up to the state/task '{state}' exceed the maximum number of bytes.")
