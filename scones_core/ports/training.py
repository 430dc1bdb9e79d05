"""Training jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class JobStatus(StrEnum):
    """SageMaker's TrainingJobStatus, and PENDING for a queued job."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"

    @property
    def ended(self) -> bool:
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED)


@dataclass(frozen=True)
class TrainingRequest:
    """channels: channel name → key or key prefix in the bucket; a prefix ends with "/"."""

    name: str
    channels: Mapping[str, str]
    hyperparameters: Mapping[str, str]


@dataclass(frozen=True)
class TrainingJob:
    """A training job as described. `artifact_key` is that of `model.tar.gz`, set once COMPLETED.

    metrics: list of (seconds since start, name, value), in the order they were logged.
    """

    name: str
    status: JobStatus
    created: datetime
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    started: datetime | None = None
    ended: datetime | None = None
    artifact_key: str | None = None
    failure_reason: str | None = None
    metrics: Sequence[tuple[float, str, float]] = ()

    @property
    def seconds(self) -> float | None:
        """Training time in seconds, once ended."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None


class TrainingService(Protocol):
    def start(self, request: TrainingRequest) -> TrainingJob:
        """Queue or start a job. Raises Conflict if the name is taken, NotFound if a channel is empty."""
        ...

    def describe(self, name: str) -> TrainingJob:
        """Raises NotFound."""
        ...

    def list(self) -> Sequence[TrainingJob]:
        """All jobs, newest first."""
        ...

    def stop(self, name: str) -> None:
        """Ask the job to stop; it ends as STOPPED. No effect once it has ended."""
        ...

    def logs(self, name: str) -> Sequence[str]:
        """The job's log lines so far, oldest first."""
        ...
