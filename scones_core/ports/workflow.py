"""Executions of state machines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class ExecutionStatus(StrEnum):
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


@dataclass(frozen=True)
class Execution:
    """One run of a state machine. input and output are JSON values."""

    name: str
    machine: str
    status: ExecutionStatus
    started: datetime
    input: Any
    stopped: datetime | None = None
    output: Any = None
    error: str | None = None
    cause: str | None = None


class WorkflowService(Protocol):
    """Runs the state machines of `infra/*.asl.json`; `machine` is the file's stem, such as `classify_image`."""

    def start(self, machine: str, name: str, input: Any) -> Execution:
        """Start an execution; it runs in the background.

        Idempotent by name while RUNNING with the same input; Conflict (ExecutionAlreadyExists) otherwise.
        """
        ...

    def describe(self, name: str) -> Execution:
        """Raises NotFound."""
        ...

    def list(
        self,
        machine: str | None = None,
        *,
        status: ExecutionStatus | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> Sequence[Execution]:
        """Executions, newest first; `before`: name of the last one of the previous page."""
        ...

    def history(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Events as GetExecutionHistory returns them (timestamps as ISO 8601 text). Raises NotFound."""
        ...

    def definition_of(self, name: str) -> Mapping[str, Any]:
        """The definition an execution was started with, as machines change. Raises NotFound if it is unknown."""
        ...

    def map_runs(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The Map Runs of an execution, as DescribeMapRun returns them, with `itemCounts`. Raises NotFound."""
        ...

    def stop(self, name: str, *, error: str | None = None, cause: str | None = None) -> None: ...

    def configure(self, environment: Mapping[str, str]) -> None:
        """Set environment variables of the functions (THRESHOLD, ENDPOINT_NAME); others are unchanged."""
        ...

    def environment(self) -> Mapping[str, str]:
        """The environment variables of the functions."""
        ...
