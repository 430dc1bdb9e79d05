"""The definition in an exported execution, or a substitute."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from scones_core.domain.history import StateRun
from scones_core.domain.json_text import value_of

MOST_STATES = 500  # more are not drawn
DEEPEST = 10  # Parallel and Map within each other


def usable_definition(given: Any) -> Mapping[str, Any] | None:
    """The definition, given as text or as a value, if it can be drawn; None otherwise."""
    definition = value_of(given)
    return definition if _can_be_drawn(definition, DEEPEST) and _count(definition) <= MOST_STATES else None


def in_order(runs: Sequence[StateRun]) -> Mapping[str, Any]:
    """A definition with the entered states in sequence, for a history without one."""
    types = {run.name: run.type for run in runs}
    names = list(dict.fromkeys(run.name for run in runs))
    following = dict(pairwise(names))
    states = {
        name: {"Type": types[name], **({"Next": following[name]} if name in following else {"End": True})}
        for name in names
    }
    return {"StartAt": names[0] if names else "", "States": states}


def _can_be_drawn(machine: Any, depth: int) -> bool:
    states = machine.get("States") if isinstance(machine, Mapping) else None
    if not isinstance(machine.get("ProcessorConfig", {}) if states else {}, Mapping):
        return False
    if depth < 0 or not isinstance(states, Mapping) or not states or machine.get("StartAt") not in tuple(states):
        return False
    return all(isinstance(state, Mapping) and _state_can_be_drawn(state, depth) for state in states.values())


def _state_can_be_drawn(state: Mapping[str, Any], depth: int) -> bool:
    named = all(isinstance(state.get(field, ""), str) for field in ("Type", "Next", "Default"))
    lists = all(isinstance(state.get(field, []), list) for field in ("Choices", "Catch", "Branches"))
    if not named or not lists:
        return False
    rules = all(
        isinstance(rule, Mapping) and isinstance(rule.get("Next", ""), str) for rule in state.get("Choices", ())
    )
    catches = all(isinstance(catch, Mapping) and isinstance(catch.get("Next"), str) for catch in state.get("Catch", ()))
    return rules and catches and all(_can_be_drawn(machine, depth - 1) for machine in _inner(state))


def _inner(state: Mapping[str, Any]) -> list[Any]:
    return [*state.get("Branches", ()), *(state[field] for field in ("ItemProcessor", "Iterator") if state.get(field))]


def _count(machine: Mapping[str, Any]) -> int:
    states = machine["States"].values()
    return len(states) + sum(_count(inner) for state in states for inner in _inner(state))
