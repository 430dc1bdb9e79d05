"""State runs of an execution, from its history.

Source: Step Functions API reference, HistoryEvent; developer guide, "Viewing execution details".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from scones_core.domain.json_text import value_of
from scones_core.domain.state_run import StateRun, StateStatus, image_key, message_of
from scones_core.errors import BadInput

__all__ = [
    "StateRun",
    "StateStatus",
    "event_states",
    "image_key",
    "message_of",
    "state_runs",
    "status_by_state",
    "steps_taken",
]

Event = Mapping[str, Any]


@dataclass(frozen=True)
class _Place:
    """Position of an event: its visit (an index, None outside of all), iterations, and previous state."""

    visit: int | None = None
    iterations: tuple[int, ...] = ()
    after: str | None = None


@dataclass
class _Reading:
    """The history read so far, by visit.

    enclosing : the place in which it began; depth : how many visits lie around it.
    open : the visits right inside of it (None: of the execution) that were not left, or hold such.
    """

    visits: list[StateRun] = field(default_factory=list)
    enclosing: list[_Place] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)
    open: dict[int | None, set[int]] = field(default_factory=lambda: {None: set()})
    places: dict[int, _Place] = field(default_factory=dict)

    def enter(self, run: StateRun, place: _Place) -> int:
        """Add a visit that begins in a place, and give its index."""
        index = len(self.visits)
        self.visits.append(run)
        self.attempts.append(0)
        self.enclosing.append(place)
        self.depth.append(0 if place.visit is None else self.depth[place.visit] + 1)
        self.open[index] = set()
        self.open[place.visit].add(index)
        return index

    def update(self, visit: int, **changes: Any) -> None:
        self.visits[visit] = replace(self.visits[visit], **changes)
        left: int | None = visit
        while left is not None and self.visits[left].exited and not self.open[left]:
            self.open[self.enclosing[left].visit].discard(left)
            left = self.enclosing[left].visit

    def open_within(self, visit: int | None) -> list[int]:
        """The visits inside of one (None: of the execution) that were not left."""
        found, waiting = list[int](), list(self.open[visit])
        while waiting:
            index = waiting.pop()
            waiting.extend(self.open[index])
            if self.visits[index].exited is None:
                found.append(index)
        return found


_ATTEMPTS = {
    "TaskScheduled",
    "LambdaFunctionScheduled",
    "ActivityScheduled",
    "ParallelStateStarted",
    "MapStateStarted",
}
_FAILURES = ("Failed", "TimedOut")
_INNER = ("Parallel", "Map")  # types of states that hold states, as their events begin
_DEEPEST = 100  # states within each other; a file can tell of more, but no execution has them
_ENDS = {
    "ExecutionFailed": StateStatus.FAILED,
    "ExecutionTimedOut": StateStatus.ABORTED,
    "ExecutionAborted": StateStatus.ABORTED,
}


def state_runs(events: Iterable[Event]) -> list[StateRun]:
    """The visits to states, in the order in which they were entered.

    events : in the order of their ids, as GetExecutionHistory returns them. Raises BadInput otherwise.
    """
    reading = _Reading()
    for number, event in enumerate(events, 1):
        try:
            place = reading.places.get(event.get("previousEventId", 0), _Place())
            reading.places[event["id"]] = _read(reading, event, place)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"[:100]
            raise BadInput(f"Event {number} of the history is damaged ({reason}): load the history again.") from None
    return reading.visits


def event_states(events: Iterable[Event]) -> dict[int, str]:
    """Id of an event → name of the state it belongs to; without those before and between states.

    events : as for `state_runs`.
    """
    states: dict[int, str] = {}
    left: set[int] = set()
    for event in events:
        id, before = event["id"], event.get("previousEventId", 0)
        details = event.get("stateEnteredEventDetails") or event.get("stateExitedEventDetails")
        if details:
            states[id] = str(details["name"])
        elif before in states and before not in left:
            states[id] = states[before]
        if event.get("stateExitedEventDetails"):
            left.add(id)
    return states


def _read(reading: _Reading, event: Event, place: _Place) -> _Place:
    """Process one event that follows `place`, and return its own place."""
    kind = str(event["type"])
    if kind.endswith("StateEntered"):
        return _enter(reading, event, place)
    if kind.endswith("StateExited"):
        return _exit(reading, event, place)
    if kind in _ENDS:
        _end(reading, event, place)
        return place
    for type_ in _INNER:
        if kind.startswith(type_):
            place = _at_visit(reading, _around(reading, place.visit, lambda run: run.type == type_))  # noqa: B023
    if kind == "MapIterationStarted":
        return replace(place, iterations=(*place.iterations, _index(event)))
    if not kind.startswith("MapIteration"):
        _follow(reading, event, place.visit)
    return place


def _follow(reading: _Reading, event: Event, visit: int | None) -> None:
    """Update the visit from an event between entering and leaving."""
    kind = str(event["type"])
    if visit is None:
        return
    if kind in _ATTEMPTS:
        reading.attempts[visit] += 1
        retries = reading.attempts[visit] - 1
        reading.update(visit, status=StateStatus.RUNNING, retries=retries, error=None, cause=None)
    elif kind == "MapRunStarted":
        reading.update(visit, map_run=_details(event).get("mapRunArn"))
    elif kind.endswith((*_FAILURES, "Aborted")):
        status = StateStatus.ABORTED if kind.endswith("Aborted") else StateStatus.FAILED
        failure = _failure(event)
        failures = reading.visits[visit].failures
        if failure["error"] and kind != "MapRunFailed":  # after which the Map itself fails, with the same error
            failures = (*failures, failure["error"])
        reading.update(visit, status=status, failures=failures, **failure)
        _stop_within(reading, visit, _time(event), failure)


def _enter(reading: _Reading, event: Event, place: _Place) -> _Place:
    details = event["stateEnteredEventDetails"]
    run = StateRun(
        name=details["name"],
        type=str(event["type"]).removesuffix("StateEntered"),
        status=StateStatus.RUNNING,
        entered=_time(event),
        input=value_of(details.get("input")),
        iterations=place.iterations,
        after=place.after,
    )
    return replace(place, visit=reading.enter(run, _room(reading, place)))


def _room(reading: _Reading, place: _Place) -> _Place:
    """The place itself, or the one around it, in which a state can begin: only Parallel and Map hold states."""
    inside = place.visit
    if inside is None or (reading.visits[inside].type in _INNER and reading.depth[inside] < _DEEPEST):
        return place
    return reading.enclosing[inside]


def _exit(reading: _Reading, event: Event, place: _Place) -> _Place:
    details = event["stateExitedEventDetails"]
    visit = _around(reading, place.visit, lambda run: run.name == details["name"])
    if visit is None:
        return place
    caught = reading.visits[visit].status in (StateStatus.FAILED, StateStatus.ABORTED)
    status = StateStatus.CAUGHT if caught else StateStatus.SUCCEEDED
    reading.update(visit, status=status, exited=_time(event), output=value_of(details.get("output")))
    return replace(reading.enclosing[visit], after=details["name"])


def _around(reading: _Reading, visit: int | None, wanted: Callable[[StateRun], bool]) -> int | None:
    """The visit itself, or the nearest around it, that is wanted."""
    while visit is not None and not wanted(reading.visits[visit]):
        visit = reading.enclosing[visit].visit
    return visit


def _at_visit(reading: _Reading, visit: int | None) -> _Place:
    return _Place() if visit is None else _Place(visit, reading.visits[visit].iterations)


def _stop_within(
    reading: _Reading, visit: int | None, time: datetime, failure: Mapping[str, str | None] | None = None
) -> None:
    """End the visits inside of one (None: of the execution) that were not left; a Fail state is where it failed."""
    for index in reading.open_within(visit):
        run = reading.visits[index]
        ended = StateStatus.FAILED if run.type == "Fail" else StateStatus.ABORTED
        known = failure if failure and run.type == "Fail" and not run.error else {}
        status = ended if run.status is StateStatus.RUNNING else run.status
        reading.update(index, status=status, exited=time, **known)


def _end(reading: _Reading, event: Event, place: _Place) -> None:
    """End the execution and its open visits; a failure belongs to the last one."""
    if _ENDS[str(event["type"])] is StateStatus.FAILED and place.visit is not None:
        run = reading.visits[place.visit]
        failure = {} if run.error else _failure(event)
        reading.update(place.visit, **failure)
        around: int | None = place.visit
        while around is not None:
            reading.update(around, status=StateStatus.FAILED)
            around = reading.enclosing[around].visit
    _stop_within(reading, None, _time(event))


def _failure(event: Event) -> dict[str, str | None]:
    details = _details(event)
    late = "States.Timeout" if str(event["type"]).endswith("TimedOut") else None
    return {"error": details.get("error", late), "cause": details.get("cause")}


def _details(event: Event) -> Mapping[str, Any]:
    """The details entry of an event; empty if it has none."""
    return next((value for key, value in event.items() if key.endswith("EventDetails") and value), {})


def _index(event: Event) -> int:
    return int(_details(event).get("index", 0))


def _time(event: Event) -> datetime:
    moment = event["timestamp"]
    return moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))


_WORST = (
    StateStatus.FAILED,
    StateStatus.ABORTED,
    StateStatus.RUNNING,
    StateStatus.CAUGHT,
    StateStatus.SUCCEEDED,
)


def status_by_state(runs: Sequence[StateRun]) -> dict[str, StateStatus]:
    """Status per state name: of its last visit; in a Map, the worst of the iterations' last visits."""
    last = {(run.name, run.iterations): run.status for run in runs}
    found: dict[str, StateStatus] = {}
    for (name, _), status in last.items():
        found[name] = min(found.get(name, status), status, key=_WORST.index)
    return found


def steps_taken(runs: Sequence[StateRun]) -> set[tuple[str, str]]:
    """Pairs of states: the second was entered from the first."""
    return {(run.after, run.name) for run in runs if run.after}
