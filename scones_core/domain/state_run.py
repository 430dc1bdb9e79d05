"""One visit to a state, from the history of an execution."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from scones_core.domain.json_text import value_of


class StateStatus(StrEnum):
    NOT_REACHED = "not reached"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    CAUGHT = "caught"  # failed, and a Catch led on
    FAILED = "failed"
    ABORTED = "aborted"  # stopped from outside, or because a neighbour failed
    FANNED_OUT = "fanned out"  # ran in the child executions of a distributed Map


@dataclass(frozen=True)
class StateRun:
    """One visit to a state. Times are UTC; input and output are JSON values, None if there is none.

    retries : attempts after the first; failures : the errors of the attempts that failed, oldest first.
    iterations : index within each Map around the state, from the outermost in; empty outside of Maps.
    after : the state before it on the same line of states; None for a first one.
    map_run : ARN of the Map Run of a distributed Map, whose iterations have histories of their own.
    """

    name: str
    type: str
    status: StateStatus
    entered: datetime
    exited: datetime | None = None
    input: Any = None
    output: Any = None
    retries: int = 0
    error: str | None = None
    cause: str | None = None
    iterations: tuple[int, ...] = ()
    after: str | None = None
    failures: tuple[str, ...] = ()
    map_run: str | None = None

    @property
    def duration(self) -> timedelta | None:
        """From entering to leaving; None while it runs, or if the history lacks it."""
        return self.exited - self.entered if self.exited else None

    @property
    def image(self) -> str | None:
        """Key of the image that the state was about."""
        return image_key(self.input)

    @property
    def message(self) -> str:
        return message_of(self.cause)


def message_of(cause: str | None) -> str:
    """A readable cause: that of a Lambda function is a JSON document with `errorMessage`."""
    value = value_of(cause)
    return str(value["errorMessage"]) if isinstance(value, Mapping) and "errorMessage" in value else cause or ""


def image_key(value: Any) -> str | None:
    """The `s3_key` of a step input, or of the body that is handed on between states."""
    for part in (value, value.get("body") if isinstance(value, Mapping) else None):
        if isinstance(part, Mapping) and isinstance(part.get("s3_key"), str):
            return str(part["s3_key"])
    return None
