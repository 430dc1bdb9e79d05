"""All ports of one backend."""

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
    costs: Costs | None = None  # None if running is free
    close: Callable[[], None] = lambda: None
    troubles: Callable[[], Sequence[str]] = tuple  # current problems, one sentence each, shown on every page
    threads: Callable[[], Mapping[str, bool]] = dict  # the backend's threads by name: whether each is alive
    # Backend-specific checks of `doctor`, by name. A check returns its finding, or raises a SconesError that says what
    # to do.
    checks: Callable[[], Sequence[tuple[str, Callable[[], str]]]] = tuple
