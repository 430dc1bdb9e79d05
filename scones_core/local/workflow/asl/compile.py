"""From a definition to a compiled machine. Refuses what Step Functions would refuse, and what is not supported here."""

from collections.abc import Mapping
from typing import Any

from scones_core.local.workflow.asl.compile_states import compile_state
from scones_core.local.workflow.asl.compiler import Compiler
from scones_core.local.workflow.asl.errors import DefinitionError
from scones_core.local.workflow.asl.fields import Fields
from scones_core.local.workflow.asl.state import State, StateMachine
from scones_core.local.workflow.asl.variables import check_scopes

MAX_NAME = 80


def compile_machine(definition: Any) -> StateMachine:
    """Return the compiled machine. Raises DefinitionError naming the state and the field."""
    fields = Fields(definition, "The definition")
    fields.choice("Version", "1.0", ["1.0"])
    language = fields.choice("QueryLanguage", "JSONPath", ["JSONPath", "JSONata"])
    timeout = fields.integer("TimeoutSeconds", minimum=1)
    compiler = Compiler(language, compile_lines=compile_lines)
    start_at, states = compile_lines(fields, compiler)
    fields.finish()
    check_scopes(definition)
    return StateMachine(start_at, states, timeout)


def compile_lines(fields: Fields, compiler: Compiler) -> tuple[str, Mapping[str, State]]:
    """Compile the fields StartAt and States, of a machine, a branch or an item processor."""
    start_at = fields.text("StartAt")
    given = fields.object("States").given
    if not given:
        raise fields.error("States", "must have at least one state")
    if start_at not in given:
        raise fields.error("StartAt", f"leads to {start_at!r}, but there is no such state")
    states = {name: _state(name, value, compiler) for name, value in given.items()}
    _check_transitions(fields, start_at, states)
    return start_at, states


def _state(name: str, given: Any, compiler: Compiler) -> State:
    where = f"State {name!r}"
    if not name or len(name) > MAX_NAME:
        raise DefinitionError(f"{where}: a state's name must have 1 to {MAX_NAME} characters.")
    if name in compiler.names:
        raise DefinitionError(f"{where}: the name is used twice; it must be unique in the whole machine.")
    compiler.names.add(name)
    return compile_state(name, Fields(given, where), compiler)


def _check_transitions(fields: Fields, start_at: str, states: Mapping[str, State]) -> None:
    for name, state in states.items():
        for target in state.targets():
            if target not in states:
                raise DefinitionError(
                    f"State {name!r}: a field Next, Default or Catch leads to {target!r}, but there is no such state."
                )
    reached = _reachable(start_at, states)
    for name in states:
        if name not in reached:
            raise DefinitionError(f"State {name!r}: no other state leads to it.")
    if not any(ends(states[name]) for name in reached):
        raise DefinitionError(f"{fields.where}: no state ends it; one needs End, or the Type Succeed or Fail.")


def _reachable(start_at: str, states: Mapping[str, State]) -> set[str]:
    reached: set[str] = set()
    waiting = [start_at]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(states[name].targets())
    return reached


def ends(state: State) -> bool:
    """Tell whether the state can be the last one."""
    return state.next is None and state.type != "Choice"
