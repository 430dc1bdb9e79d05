"""Interfaces of a backend. Embedded: `scones_core/local/`; AWS: `scones_core/aws/`, same file names.

All times are aware UTC datetimes. Keys are POSIX-style, relative to the bucket, without a leading slash.
"""

from scones_core.ports.backend import Backend
from scones_core.ports.costs import Costs, Instances, Use
from scones_core.ports.endpoint import Endpoint, EndpointConfig, EndpointService, Trial
from scones_core.ports.notifier import Notifier
from scones_core.ports.object_store import ObjectInfo, ObjectStore
from scones_core.ports.registry import ModelRegistry
from scones_core.ports.state_machines import StateMachines
from scones_core.ports.training import JobStatus, TrainingJob, TrainingRequest, TrainingService
from scones_core.ports.workflow import Execution, ExecutionStatus, WorkflowService

__all__ = [
    "Backend",
    "Costs",
    "Endpoint",
    "EndpointConfig",
    "EndpointService",
    "Execution",
    "ExecutionStatus",
    "Instances",
    "JobStatus",
    "ModelRegistry",
    "Notifier",
    "ObjectInfo",
    "ObjectStore",
    "StateMachines",
    "TrainingJob",
    "TrainingRequest",
    "TrainingService",
    "Trial",
    "Use",
    "WorkflowService",
]
