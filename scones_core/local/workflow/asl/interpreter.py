"""Runs compiled states, one after another, and records what happens."""

import asyncio
from typing import Any

from scones_core.local.workflow.asl.errors import QueryFailure, RuntimeFailure, StateFailure, StatesError, TooLarge
from scones_core.local.workflow.asl.flow import Settled
from scones_core.local.workflow.asl.frame import Frame
from scones_core.local.workflow.asl.history import UNTRUNCATED
from scones_core.local.workflow.asl.jsontext import dumps, is_too_large
from scones_core.local.workflow.asl.retry import Retries
from scones_core.local.workflow.asl.scope import Scope
from scones_core.local.workflow.asl.state import State, StateMachine, Transition

_TURNS, _MANY_TURNS, _PAUSE = 32, 512, 0.001  # seconds


async def run_states(machine: StateMachine, frame: Frame, given: Any) -> Any:
    """Run the states from StartAt to a terminal one and return its output. Raises StatesError."""
    name: str | None = machine.start_at
    turns = 0
    while name is not None:
        outcome = await visit(machine.states[name], frame, given)
        name, given = outcome.next, outcome.settled.output
        turns += 1
        if turns % _TURNS == 0:  # states that never wait let other executions have their turn, and other threads
            await asyncio.sleep(0 if turns % _MANY_TURNS else _PAUSE)
    frame.state = None
    return given


async def visit(state: State, frame: Frame, given: Any) -> Transition:
    """Enter the state, run it with its retriers and catchers, and leave it."""
    entered = frame.enter(state, given, **({"RetryCount": 0} if state.counts_retries else {}))
    scope = frame.scope(given)
    outcome = await _run_with_retries(state, frame, scope, entered)
    _leave(state, frame, outcome)
    return outcome


async def _run_with_retries(state: State, frame: Frame, scope: Scope, entered: int) -> Transition:
    retries = Retries(state.retriers)
    while True:
        try:
            outcome = await state.run(frame, scope)
            _check_size(state, frame, outcome.settled)
            return outcome
        except StatesError as raised:
            error = _located(state, frame, raised, entered)
        except (RecursionError, MemoryError) as raised:
            cause = f"The data of the state cannot be handled: {raised}"
            error = _located(state, frame, RuntimeFailure.because(cause), entered)
        delay = retries.next_delay(error)
        if delay is None:
            return await _caught(state, frame, scope, error, entered)
        await asyncio.sleep(delay)
        frame.context["State"] = frame.context["State"] | {"RetryCount": retries.count}


def _located(state: State, frame: Frame, error: StatesError, entered: int) -> StatesError:
    """Say where the state's own errors happened, and record the failure of a JSONata expression."""
    if not isinstance(error, StateFailure) or error.is_located:
        return error
    located = error.located(state.name, entered)
    if isinstance(located, QueryFailure):
        where = {"location": located.location} if located.location else {}
        details = {**located.details(), **where, "state": state.name}
        frame.previous = state.settled_before(frame)
        frame.record("EvaluationFailed", evaluationFailedEventDetails=details)
    return located


async def _caught(state: State, frame: Frame, scope: Scope, error: StatesError, entered: int) -> Transition:
    """Go on with the first catcher that covers the error; raise the error when there is none."""
    state.failed(frame, error)
    catcher = next((catcher for catcher in state.catchers if catcher.covers(error)), None)
    if catcher is None:
        raise error
    try:
        settled = await frame.evaluate(catcher.catch, scope, error)
    except StateFailure as raised:
        raise _located(state, frame, raised, entered) from None
    _check_size(state, frame, settled)
    return Transition(settled, catcher.next)


def _check_size(state: State, frame: Frame, settled: Settled) -> None:
    if settled.assigned:
        frame.sizes.check(state.name, settled.assigned)
    if is_too_large(frame.text(settled.output)):
        raise TooLarge(
            f"The state/task '{state.name}' returned a result with a size exceeding "
            "the maximum number of bytes service limit."
        )


def _leave(state: State, frame: Frame, outcome: Transition) -> None:
    details: dict[str, Any] = {
        "name": state.name,
        "output": frame.text(outcome.settled.output),
        "outputDetails": UNTRUNCATED,
    }
    assigned = outcome.settled.assigned
    if assigned:
        details |= {
            "assignedVariables": {name: dumps(value) for name, value in assigned.items()},
            "assignedVariablesDetails": UNTRUNCATED,
        }
        frame.variables = {**frame.variables, **assigned}
    frame.record(f"{state.type}StateExited", stateExitedEventDetails=details)
