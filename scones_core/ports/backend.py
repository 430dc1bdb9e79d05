"""All ports together, as one backend fills them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scones_core.ports.costs import Costs
from scones_core.ports.endpoint import EndpointService
from scones_core.ports.notifier import Notifier
from scones_core.ports.object_store import ObjectStore
from scones_core.ports.registry import ModelRegistry
from scones_core.ports.state_machines import StateMachines
from scones_core.ports.training import TrainingService
from scones_core.ports.workflow import WorkflowService


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
