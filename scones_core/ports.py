"""What the use cases ask of a backend. Embedded: `scones_core/local/`; AWS: `scones_core/aws/`, same file names.

All times are aware UTC datetimes. Keys are POSIX-style, relative to the bucket, without a leading slash.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from scones_core.domain.costs import Price
from scones_core.domain.models import CHAMPION_VARIANT, Approval


@dataclass(frozen=True)
class ObjectInfo:
    """One object of a listing. `size` in bytes; `version` changes whenever the content does (an ETag)."""

    key: str
    size: int
    modified: datetime
    version: str


class ObjectStore(Protocol):
    """One bucket."""

    at_once: int  # requests that several threads may well make at the same time

    @property
    def bucket(self) -> str: ...

    def put(self, key: str, data: bytes) -> None:
        """Store `data` durably under `key`, replacing what was there."""
        ...

    def put_many(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Store many objects; all are durable when it returns."""
        ...

    def make_durable(self, keys: Iterable[str]) -> None:
        """See that these objects, which endpoints appended to, outlive a power loss."""
        ...

    def get(self, key: str) -> bytes:
        """Return the object's bytes. Raises NotFound."""
        ...

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Return bytes `start` to `end` − 1, fewer where the object ends before. Raises NotFound."""
        ...

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose key starts with `prefix` and sorts after `after`, in key order."""
        ...

    def listdir(self, prefix: str = "") -> tuple[Sequence[str], Sequence[ObjectInfo]]:
        """Return what lies right below `prefix`, which ends with "/" or is empty, in key order.

        Folders come as prefixes that end with "/".
        """
        ...

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens where there is none."""
        ...


class JobStatus(StrEnum):
    """SageMaker's TrainingJobStatus, and PENDING for a job that waits for its turn."""

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
        """Queue or start a job. Raises Conflict when the name is taken, NotFound when a channel is empty."""
        ...

    def describe(self, name: str) -> TrainingJob:
        """Raises NotFound."""
        ...

    def list(self) -> Sequence[TrainingJob]:
        """All jobs, newest first."""
        ...

    def stop(self, name: str) -> None:
        """Ask the job to stop; it ends as STOPPED. Nothing happens when it has ended."""
        ...

    def logs(self, name: str) -> Sequence[str]:
        """The job's log lines so far, oldest first."""
        ...


@dataclass(frozen=True)
class EndpointConfig:
    """What an endpoint serves. artifact_key: of `model.tar.gz`; capture_percentage: 0 to 100."""

    model: str
    artifact_key: str
    artifact_sha256: str
    variant: str = CHAMPION_VARIANT
    capture_percentage: int = 100


@dataclass(frozen=True)
class Trial:
    """A second production variant beside the champion's.

    config: under another variant name than the champion's, with the champion's capture percentage.
    share: of the traffic, above 0 and below 1; kept as the variants' weights.
    """

    config: EndpointConfig
    share: float


@dataclass(frozen=True)
class Endpoint:
    """status: Creating, Updating, InService, Failed or Deleting, as in SageMaker. config: the champion's."""

    name: str
    status: str
    config: EndpointConfig
    created: datetime
    updated: datetime
    failure_reason: str | None = None
    trial: Trial | None = None


class EndpointService(Protocol):
    capture_prefix: str  # key prefix of data capture, without the endpoint's name; ends with "/"

    def deploy(self, name: str, config: EndpointConfig) -> Endpoint:
        """Create the endpoint, or update it in place. The old model serves until the new one answers.

        A trial ends with it. Raises NotFound (no artifact) or Damaged (checksum); the endpoint then stays as it was.
        """
        ...

    def set_trial(self, name: str, trial: Trial | None) -> Endpoint:
        """Serve the trial beside the champion, in the place of any other, or the champion alone (None).

        Where only the share differs from what is, only the weights are changed. Raises NotFound (no endpoint, no
        artifact) or Damaged (checksum); the endpoint then stays as it was.
        """
        ...

    def describe(self, name: str) -> Endpoint | None: ...

    def invoke(
        self,
        name: str,
        body: bytes,
        content_type: str,
        *,
        inference_id: str | None = None,
        custom_attributes: str | None = None,
    ) -> list[float]:
        """One inference: probabilities in class-index order. Raises NotFound, BadImage, Unavailable."""
        ...

    def transform(self, config: EndpointConfig, keys: Sequence[str]) -> Sequence[Sequence[float]]:
        """Batch inference over images of the bucket, without endpoint or capture; shape (n, n_classes)."""
        ...

    def delete(self, name: str) -> None: ...


class ModelRegistry(Protocol):
    """Where others find the model versions; the product itself goes by its database."""

    def publish(self, config: EndpointConfig, approval: Approval, facts: Mapping[str, str]) -> None:
        """Show a model version, or that its approval has changed.  facts : what else is known of it, by name."""
        ...


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
    """Runs the state machines of `infra/*.asl.json`; `machine` is the file's stem, as `classify_image`."""

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
        """Executions, newest first; `before` is the name of the last one of the page before."""
        ...

    def history(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Events as GetExecutionHistory returns them (timestamps as ISO 8601 text). Raises NotFound."""
        ...

    def definition_of(self, name: str) -> Mapping[str, Any]:
        """The definition that an execution was started with; machines change. Raises NotFound where it is not known."""
        ...

    def map_runs(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The Map Runs of an execution, as DescribeMapRun tells of them, with `itemCounts`. Raises NotFound."""
        ...

    def stop(self, name: str, *, error: str | None = None, cause: str | None = None) -> None: ...

    def configure(self, environment: Mapping[str, str]) -> None:
        """Set environment variables of the functions (THRESHOLD, ENDPOINT_NAME); others stay as they are."""
        ...

    def environment(self) -> Mapping[str, str]:
        """The environment variables of the functions."""
        ...


class StateMachines(Protocol):
    """The definitions the workflow service can run."""

    def names(self) -> Sequence[str]: ...

    def definition(self, machine: str) -> Mapping[str, Any]:
        """The state machine's definition. Raises NotFound."""
        ...

    def put(self, machine: str, definition: Mapping[str, Any]) -> None:
        """Create or replace a definition. Raises BadDefinition naming the state and the field."""
        ...


class Notifier(Protocol):
    """Channels to people: e-mail, chat, webhooks."""

    def channels(self) -> Sequence[str]:
        """Where messages go, without anything secret; empty when nothing is configured."""
        ...

    def send(self, title: str, body: str) -> None:
        """Send a message to every channel. Raises Unavailable naming the channels that failed."""
        ...


class Use(StrEnum):
    """What an instance is paid for, as the price list calls it."""

    TRAINING = "Training"
    HOSTING = "Hosting"


@dataclass(frozen=True)
class Instances:
    """Instances of one type, as `ml.m5.large`. most: what they may scale to; spot: on spare capacity."""

    type: str
    use: Use
    count: int = 1
    most: int = 1
    spot: bool = False


class Costs(Protocol):
    """What is paid for by the hour, and whether it is used."""

    def training(self) -> Instances:
        """What a training job would run on."""
        ...

    def hosting(self) -> Instances:
        """What an endpoint would be deployed on."""
        ...

    def running(self, endpoint: str) -> Instances | None:
        """What the endpoint runs on now; None where nothing runs."""
        ...

    def price(self, instances: Instances) -> Price:
        """On-demand price of one instance. Raises NotFound (the price list has none), Unavailable."""
        ...

    def last_asked(self, endpoint: str) -> datetime | None:
        """Time of the endpoint's last inference, to the hour; None without any in the last 14 days (LOOK_BACK).

        Raises Unavailable.
        """
        ...


@dataclass(frozen=True)
class Backend:
    """The ports of one backend."""

    name: str
    objects: ObjectStore
    training: TrainingService
    endpoints: EndpointService
    workflows: WorkflowService
    machines: StateMachines
    notifier: Notifier
    registry: ModelRegistry | None = None
    costs: Costs | None = None  # None where nothing is paid for
    close: Callable[[], None] = lambda: None
    troubles: Callable[[], Sequence[str]] = tuple  # what is wrong now, a sentence each, for every page to say
    threads: Callable[[], Mapping[str, bool]] = dict  # those behind it, by name: whether each is alive
    # What `doctor` asks of this backend alone: the name of a check, and the check, which returns what it found or
    # raises the SconesError that says what to do.
    checks: Callable[[], Sequence[tuple[str, Callable[[], str]]]] = tuple
