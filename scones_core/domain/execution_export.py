"""Exported executions, converted to the form of this app's own.

Three shapes are read:
- the console's: Step Functions console, execution details, Actions > Export (`execution-detail.json`): `execution` as
  DescribeExecution tells of it, `historyHash` with the events by id, and the definition as text in `stateMachine`;
- `{"events": […]}`, as `aws stepfunctions get-execution-history` prints it, in either order;
- a list of such events, as the Workflow page's “Download history” writes it.
Source: Step Functions API reference, DescribeExecution and GetExecutionHistory; developer guide, "Execution details".
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from scones_core.domain.export_definition import usable_definition
from scones_core.domain.json_text import MAX_DEPTH, is_too_deep, value_of, whole
from scones_core.errors import BadInput

MOST_EVENTS = 25_000  # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_MILLISECONDS = 1e11  # an epoch number above this (the year 5138) counts milliseconds
_STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
_ENDS = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}
_NOT_ONE = (
    "The file contains no execution: export one in the Step Functions console, "
    "or save the output of `aws stepfunctions get-execution-history`."
)
_AGAIN = "export the execution again"


def _moment(value: Any) -> datetime:
    """A time given as ISO 8601 text, or as seconds or milliseconds since 1970."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return datetime.fromtimestamp(value / 1000 if abs(value) > _MILLISECONDS else value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise ValueError("give ISO 8601 text or epoch seconds")


_Id = Annotated[StrictInt, Field(ge=0, le=10**9)]


class _Event(BaseModel):
    """Fields of every event; its details are in one more field, whose name ends with EventDetails."""

    model_config = ConfigDict(extra="allow")

    id: _Id
    type: Annotated[StrictStr, Field(min_length=1)]
    timestamp: Annotated[datetime, BeforeValidator(_moment)]
    previousEventId: _Id = 0  # noqa: N815 - the API's name


class _Named(BaseModel):
    """The details of entering or leaving a state."""

    name: Annotated[StrictStr, Field(min_length=1)]


class _Execution(BaseModel):
    """The displayed fields of DescribeExecution."""

    name: StrictStr | None = None
    executionArn: StrictStr | None = None  # noqa: N815
    stateMachineArn: StrictStr | None = None  # noqa: N815
    status: StrictStr | None = None
    input: Any = None
    output: Any = None
    error: StrictStr | None = None
    cause: StrictStr | None = None
    definition: Any = None


class _Machine(BaseModel):
    definition: Any = None


class _Document(BaseModel):
    """The console's export; a bare history has `events` alone."""

    execution: _Execution | StrictStr | None = None
    historyHash: dict[str, Any] | list[Any] | None = None  # noqa: N815
    events: dict[str, Any] | list[Any] | None = None
    stateMachine: _Machine | None = None  # noqa: N815


@dataclass(frozen=True)
class ExportedExecution:
    """An execution from a file. Times are UTC; input and output are JSON values.

    status : RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; events take precedence over the heading.
    events : in the order of their ids, with timestamps as ISO 8601 text.
    definition : None if the file has none that can be drawn.
    """

    name: str
    machine: str
    status: str
    started: datetime
    events: Sequence[Mapping[str, Any]]
    stopped: datetime | None = None
    input: Any = None
    output: Any = None
    error: str | None = None
    cause: str | None = None
    definition: Mapping[str, Any] | None = None


def exported_execution(data: bytes, name: str = "exported execution") -> ExportedExecution:
    """Read a file; `name`: used if the file does not name the execution. Raises BadInput."""
    given = _document(data)
    told = given.execution if isinstance(given.execution, _Execution) else _Execution()
    named = given.execution if isinstance(given.execution, str) else None
    definition = (given.stateMachine or _Machine()).definition or told.definition
    events = _events(given)
    first, last = events[0], events[-1]
    ended = _ENDS.get(last["type"])
    failure = _details(last) if ended else {}
    return ExportedExecution(
        name=_text(told.name) or _last_part(told.executionArn) or _text(named) or name,
        machine=_last_part(told.stateMachineArn) or "not named in the file",
        status=ended or (told.status if told.status in _STATUSES else "RUNNING"),
        started=datetime.fromisoformat(first["timestamp"]),
        events=events,
        stopped=datetime.fromisoformat(last["timestamp"]) if ended else None,
        input=value_of(told.input or _details(first).get("input")),
        output=value_of(told.output or failure.get("output")),
        error=_text(failure.get("error")) or _text(told.error),
        cause=_text(failure.get("cause")) or _text(told.cause),
        definition=usable_definition(definition),
    )


def _document(data: bytes) -> _Document:
    try:
        text = data.decode("utf-8-sig")
        given = json.loads(text, parse_constant=str)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadInput(f"The file is not JSON ({error.msg}, {where}): choose the unmodified exported file.") from None
    except (ValueError, RecursionError):
        raise BadInput("The file is not readable JSON: choose the unmodified exported file.") from None
    if is_too_deep(given, text):
        raise BadInput(
            f"The file has more than {MAX_DEPTH} levels of objects and lists: choose the unmodified exported file."
        )
    given = whole(given, text)
    if isinstance(given, list):
        given = {"events": given}
    if not isinstance(given, Mapping):
        raise BadInput(_NOT_ONE)
    try:
        return _Document.model_validate(given)
    except ValidationError as error:
        raise _unfit(given, error) from None


def _unfit(given: Mapping[str, Any], error: ValidationError) -> BadInput:
    place, reason = _first(error)
    if place.split(".")[0] in ("historyHash", "events"):
        return BadInput(_NOT_ONE)
    return BadInput(f"The field “{place}” in the file is invalid ({reason}): {_AGAIN}.")


def _events(given: _Document) -> list[Mapping[str, Any]]:
    held = given.events if given.historyHash is None else given.historyHash
    if held is None:
        raise BadInput(_NOT_ONE)
    found = list(held.values()) if isinstance(held, dict) else held
    if not found:
        raise BadInput("The history in the file is empty: export the execution again once it has started.")
    if len(found) > MOST_EVENTS:
        raise BadInput(f"The file has {len(found):,} events, but an execution has at most {MOST_EVENTS:,}.")
    events = sorted((_event(event, place) for place, event in enumerate(found, 1)), key=lambda event: event["id"])
    ids = [event["id"] for event in events]
    if len(set(ids)) < len(ids):
        raise BadInput(f"Two events in the file have the same id: {_AGAIN}.")
    return events


def _event(event: Any, place: int) -> Mapping[str, Any]:
    """One event with the fields the reader relies on. Raises BadInput naming the event and what of it does not fit."""
    if not isinstance(event, Mapping):
        raise BadInput(f"Event {place} in the file is not a JSON object: {_AGAIN}.")
    try:
        read = _Event.model_validate(event)
    except ValidationError as error:
        raise _bad_event(place, event, *_first(error)) from None
    details = {key: value for key, value in event.items() if key.endswith("EventDetails") and value is not None}
    for key, value in details.items():
        if not isinstance(value, Mapping):
            raise _bad_event(place, event, key, "must be a JSON object")
    if read.type.endswith(("StateEntered", "StateExited")):
        _check_name(place, event, details)
    plain = {**event, **{key: _plain_details(value) for key, value in details.items()}}
    return {**plain, "previousEventId": read.previousEventId, "timestamp": read.timestamp.isoformat()}


def _check_name(place: int, event: Mapping[str, Any], details: Mapping[str, Any]) -> None:
    kind = event["type"]
    field = "stateEnteredEventDetails" if kind.endswith("Entered") else "stateExitedEventDetails"
    try:
        _Named.model_validate(details.get(field) or {})
    except ValidationError:
        raise BadInput(f"Event {place} in the file ({kind}) has no state name: {_AGAIN}.") from None


def _bad_event(place: int, event: Mapping[str, Any], field: str, reason: str) -> BadInput:
    if field == "timestamp":
        return BadInput(f"Event {place} in the file has no readable time: use ISO 8601 text or epoch seconds.")
    if field in ("id", "type"):
        return BadInput(f"Event {place} in the file lacks its “id” or its “type” (“{field}”: {reason}): {_AGAIN}.")
    return BadInput(
        f"Event {place} in the file ({event['type'][:80]}) is damaged (“{field[:80]}”: {reason}): {_AGAIN}."
    )


def _first(error: ValidationError) -> tuple[str, str]:
    """The path of the first error, as a.b, and its reason."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    names = [str(part) for part in fault["loc"] if not str(part).startswith(("_", "str", "dict[", "list["))]
    return ".".join(names), fault["msg"][:1].lower() + fault["msg"][1:]


def _plain_details(details: Mapping[str, Any]) -> Mapping[str, Any]:
    """Details whose fields are of the types that the API gives."""
    plain = dict(details)
    for field in {"input", "output", "error", "cause"} & plain.keys():
        if not isinstance(plain[field], str | None):
            plain[field] = json.dumps(plain[field])
    index = plain.get("index", 0)
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        plain["index"] = 0
    if not isinstance(plain.get("mapRunArn", ""), str):
        del plain["mapRunArn"]
    return plain


def _details(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((value for key, value in event.items() if key.endswith("EventDetails") and value), {})


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _last_part(arn: str | None) -> str | None:
    return _text(arn.rsplit(":", 1)[-1]) if arn else None
