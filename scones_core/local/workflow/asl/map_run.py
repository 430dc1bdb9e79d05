"""A Map Run, its child executions and its counts.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeMapRun.html
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scones_core.local.workflow.asl.errors import StatesError
from scones_core.local.workflow.asl.history import Event, context_time, timestamp, utc_now
from scones_core.local.workflow.asl.jsontext import dumps

_COUNTS = ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten")


@dataclass
class Child:
    """One child execution. `items` is how many items its input has; `events` are kept for STANDARD children only."""

    name: str
    machine: str
    arn: str
    machine_arn: str
    input: Any
    items: int = 1
    started: datetime = field(default_factory=lambda: utc_now())
    stopped: datetime | None = None
    status: str = "RUNNING"
    output: Any = None
    error: StatesError | None = None
    events: list[Event] = field(default_factory=list)

    def end(self, status: str, *, output: Any = None, error: StatesError | None = None) -> None:
        self.status, self.output, self.error, self.stopped = status, output, error, utc_now()

    def result(self) -> dict[str, Any]:
        """Return the execution's result as a ResultWriter exports it."""
        given: dict[str, Any] = {
            "ExecutionArn": self.arn,
            "Input": dumps(self.input),
            "InputDetails": {"Included": True},
            "Name": self.name,
        }
        if self.error is None:
            given |= {"Output": dumps(self.output), "OutputDetails": {"Included": True}}
        else:
            given |= {"Error": self.error.error or "", "Cause": self.error.cause or ""}
        return given | {
            "RedriveCount": 0,
            "StartDate": context_time(self.started),
            "StateMachineArn": self.machine_arn,
            "Status": self.status,
            "StopDate": context_time(self.stopped or self.started),
        }


@dataclass
class MapRun:
    """One attempt at a distributed Map. `machine` and the ARN carry the label of the Map state."""

    arn: str
    execution_arn: str
    machine: str
    machine_arn: str
    max_concurrency: int
    tolerated_failure_count: int | None
    tolerated_failure_percentage: float | None
    status: str = "RUNNING"
    started: datetime = field(default_factory=lambda: utc_now())
    stopped: datetime | None = None
    items: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 0))
    executions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 0))
    read: bool = False  # whether all items have been read, so that their number is known

    @property
    def id(self) -> str:
        return self.arn.rpartition(":")[2]

    def child(self, given: Any, items: int) -> Child:
        name = str(uuid.uuid4())
        execution = self.machine_arn.replace(":stateMachine:", ":execution:")
        self._move(items, "pending", "running")
        return Child(name, self.machine, f"{execution}:{name}", self.machine_arn, given, items)

    def found(self, items: int) -> None:
        """Count items that have been read and wait for their turn."""
        self.items["total"] += items
        self.items["pending"] += items

    def ended(self, child: Child) -> None:
        counts = {"SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED_OUT": "timedOut", "ABORTED": "aborted"}
        self._move(child.items, "running", counts[child.status])

    def close(self, status: str) -> None:
        self.status, self.stopped = status, utc_now()

    def exceeds_tolerance(self) -> bool:
        """Tell whether more items failed than are tolerated; with no tolerance given, none are."""
        failed = self.items["failed"] + self.items["timedOut"]
        count, percentage = self.tolerated_failure_count, self.tolerated_failure_percentage
        if count is None and percentage is None:
            return failed > 0
        if count is not None and failed > count:
            return True
        return percentage is not None and self.read and failed * 100 > percentage * max(1, self.items["total"])

    def description(self) -> Mapping[str, Any]:
        """Return what DescribeMapRun tells; times as ISO 8601 text."""
        return {
            "mapRunArn": self.arn,
            "executionArn": self.execution_arn,
            "status": self.status,
            "startDate": timestamp(self.started),
            **({"stopDate": timestamp(self.stopped)} if self.stopped else {}),
            "maxConcurrency": self.max_concurrency,
            "toleratedFailurePercentage": self.tolerated_failure_percentage or 0.0,
            "toleratedFailureCount": self.tolerated_failure_count or 0,
            "itemCounts": dict(self.items),
            "executionCounts": dict(self.executions),
        }

    def _move(self, items: int, source: str, target: str) -> None:
        self.items[source] -= items
        self.items[target] += items
        if source == "pending":
            self.executions["total"] += 1
        else:
            self.executions[source] -= 1
        self.executions[target] += 1
