"""The list of events of one execution, as GetExecutionHistory returns it.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from scones_core.local.workflow.asl.errors import RuntimeFailure

MAX_EVENTS = 25_000  # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MAX_CHARACTERS = 100_000_000  # what fits into memory and is written in seconds; on AWS 25,000 times 262,144 would do
UNTRUNCATED = {"truncated": False}

Event = dict[str, Any]


def timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def context_time(moment: datetime) -> str:
    """Times in the Context Object end with Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_now() -> datetime:
    """Return the time to the millisecond, as Step Functions tells it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)


class History:
    """Events in the order of their ids, which count from 1."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self.events: list[Event] = []
        self.characters = 0  # of inputs and outputs
        self._now = now

    def add(self, type_: str, previous: int, **details: Mapping[str, Any]) -> int:
        """Append an event and return its id.

        previous : id of the event that led to this one, 0 for none.
        details : at most one entry, as stateEnteredEventDetails={…}.
        Raises RuntimeFailure when only the last event, which ends the execution, still finds room.
        """
        if len(self.events) >= MAX_EVENTS - 1:
            raise RuntimeFailure.because("The execution reached the maximum number of history events (25000).")
        if self.characters > MAX_CHARACTERS:
            raise RuntimeFailure.because(
                f"The history of the execution has more than {MAX_CHARACTERS:,} characters: hand on keys of objects, "
                "not what is in them."
            )
        return self.end(type_, previous, **details)

    def end(self, type_: str, previous: int, **details: Mapping[str, Any]) -> int:
        """Append the event that ends the execution; there is always room for it."""
        number = len(self.events) + 1
        event = {"timestamp": timestamp(self._now()), "type": type_, "id": number, "previousEventId": previous}
        self.events.append(event | details)
        self.characters += sum(len(text) for part in details.values() for text in part.values() if type(text) is str)
        return number
