"""Executions that were exported elsewhere, brought into the form in which this app's own are shown.

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
from typing import Any

from scones_core.domain.export_definition import usable_definition
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
    "The file holds no execution: export one in the Step Functions console, "
    "or take what `aws stepfunctions get-execution-history` prints."
)


@dataclass(frozen=True)
class ExportedExecution:
    """What a file tells of an execution. Times are UTC; input and output are JSON values.

    status : RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; what the events say counts more than the heading.
    events : in the order of their ids, with timestamps as ISO 8601 text.
    definition : None where the file has none that can be drawn.
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
    """Read a file; `name` is for executions whose file does not name them. Raises BadInput."""
    given = _document(data)
    told = _mapping(given.get("execution"))
    events = _events(given)
    first, last = events[0], events[-1]
    ended = _ENDS.get(last["type"])
    stated = told.get("status")
    failure = _details(last) if ended else {}
    return ExportedExecution(
        name=_text(told.get("name")) or _last_part(told.get("executionArn")) or _text(given.get("execution")) or name,
        machine=_last_part(told.get("stateMachineArn")) or "not named in the file",
        status=ended or (stated if stated in _STATUSES else "RUNNING"),
        started=datetime.fromisoformat(first["timestamp"]),
        events=events,
        stopped=datetime.fromisoformat(last["timestamp"]) if ended else None,
        input=_value(told.get("input") or _details(first).get("input")),
        output=_value(told.get("output") or failure.get("output")),
        error=_text(failure.get("error")) or _text(told.get("error")),
        cause=_text(failure.get("cause")) or _text(told.get("cause")),
        definition=usable_definition(_mapping(given.get("stateMachine")).get("definition") or told.get("definition")),
    )


def _document(data: bytes) -> Mapping[str, Any]:
    try:
        given = json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadInput(f"The file is not JSON ({error.msg}, {where}): choose the exported file as it is.") from None
    except (ValueError, RecursionError):
        raise BadInput("The file is not JSON text that can be read: choose the exported file as it is.") from None
    if isinstance(given, list):
        return {"events": given}
    if not isinstance(given, Mapping):
        raise BadInput(_NOT_ONE)
    return given


def _events(given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    held = given.get("historyHash", given.get("events"))
    found = list(held.values()) if isinstance(held, Mapping) else held
    if not isinstance(found, list):
        raise BadInput(_NOT_ONE)
    if not found:
        raise BadInput("The history in the file is empty: export the execution again once it has started.")
    if len(found) > MOST_EVENTS:
        raise BadInput(f"The file has {len(found):,} events, but an execution has at most {MOST_EVENTS:,}.")
    events = sorted((_event(event, place) for place, event in enumerate(found, 1)), key=lambda event: event["id"])
    ids = [event["id"] for event in events]
    if len(set(ids)) < len(ids):
        raise BadInput("Two events in the file have the same id: export the execution again.")
    return events


def _event(event: Any, place: int) -> Mapping[str, Any]:
    """One event with what reading it relies on. Raises BadInput naming the event."""
    if not isinstance(event, Mapping):
        raise BadInput(f"Event {place} in the file is not a JSON object: export the execution again.")
    kind, number = event.get("type"), event.get("id")
    if not isinstance(kind, str) or not _is_id(number):
        raise BadInput(f"Event {place} in the file lacks its “id” or its “type”: export the execution again.")
    details = [value for key, value in event.items() if key.endswith("EventDetails") and value is not None]
    if not all(isinstance(value, Mapping) for value in details) or not _is_id(event.get("previousEventId", 0)):
        raise BadInput(f"Event {place} in the file ({kind}) is damaged: export the execution again.")
    if kind.endswith(("StateEntered", "StateExited")) and not _names_a_state(event, kind):
        raise BadInput(f"Event {place} in the file ({kind}) does not name its state: export the execution again.")
    plain = {key: _plain_details(value) if key.endswith("EventDetails") else value for key, value in event.items()}
    return {**plain, "timestamp": _moment(event.get("timestamp"), place).isoformat()}


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _names_a_state(event: Mapping[str, Any], kind: str) -> bool:
    details = event.get("stateEnteredEventDetails" if kind.endswith("Entered") else "stateExitedEventDetails")
    return isinstance(details, Mapping) and isinstance(details.get("name"), str) and details["name"] != ""


def _plain_details(details: Any) -> Any:
    """Details whose fields are of the types that the API gives."""
    if not isinstance(details, Mapping):
        return details
    plain = dict(details)
    for field in {"input", "output", "error", "cause"} & plain.keys():
        if not isinstance(plain[field], str | None):
            plain[field] = json.dumps(plain[field])
    if "index" in plain and not _is_id(plain["index"]):
        plain["index"] = 0
    return plain


def _moment(value: Any, place: int) -> datetime:
    """A time that the file gives as ISO 8601 text, or as seconds or milliseconds since 1970."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return datetime.fromtimestamp(value / 1000 if abs(value) > _MILLISECONDS else value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise BadInput(f"Event {place} in the file has no time that can be read: give ISO 8601 text or epoch seconds.")


def _details(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((value for key, value in event.items() if key.endswith("EventDetails") and value), {})


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _last_part(arn: Any) -> str | None:
    return _text(arn.rsplit(":", 1)[-1]) if isinstance(arn, str) else None


def _value(text: Any) -> Any:
    """JSON text as its value; what is not such text as it is."""
    try:
        return json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return text
