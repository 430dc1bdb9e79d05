"""The events with which an execution begins and ends."""

from typing import Any

from scones_core.local.workflow.asl.errors import StatesError
from scones_core.local.workflow.asl.history import UNTRUNCATED, History
from scones_core.local.workflow.asl.jsontext import dumps

_ENDS = {
    "FAILED": ("ExecutionFailed", "executionFailedEventDetails"),
    "TIMED_OUT": ("ExecutionTimedOut", "executionTimedOutEventDetails"),
    "ABORTED": ("ExecutionAborted", "executionAbortedEventDetails"),
}


def record_start(history: History, given: Any, role_arn: str) -> None:
    details = {"input": dumps(given), "inputDetails": UNTRUNCATED, "roleArn": role_arn}
    history.add("ExecutionStarted", 0, executionStartedEventDetails=details)


def record_end(history: History, previous: int, status: str, output: Any, error: StatesError | None) -> None:
    """Append the last event. An abort comes from outside and follows no other event."""
    if status == "SUCCEEDED":
        details: dict[str, Any] = {"output": dumps(output), "outputDetails": UNTRUNCATED}
        history.end("ExecutionSucceeded", previous, executionSucceededEventDetails=details)
        return
    type_, field = _ENDS[status]
    details = (error or StatesError(None)).details()
    history.end(type_, 0 if status == "ABORTED" else previous, **{field: details})
