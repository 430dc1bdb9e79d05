"""Model versions and their deployments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Approval(StrEnum):
    """SageMaker's ModelApprovalStatus."""

    PENDING = "PendingManualApproval"
    APPROVED = "Approved"
    REJECTED = "Rejected"


@dataclass(frozen=True)
class ModelVersion:
    """A trained model with all that is needed to say where it came from. `id` is "v" and its number."""

    number: int
    created: datetime
    training_job: str
    dataset: str
    hyperparameters: Mapping[str, str]
    metrics: Mapping[str, Any]
    artifact_key: str
    artifact_sha256: str
    seconds: float | None
    approval: Approval

    @property
    def id(self) -> str:
        return f"v{self.number}"


class Action(StrEnum):
    DEPLOY = "deploy"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    DELETE = "delete"


@dataclass(frozen=True)
class Deployment:
    """One change of what an endpoint serves: who, when, which model; that of a deletion is the one that had served."""

    id: int
    time: datetime
    endpoint: str
    model: int
    action: Action
    actor: str


def service_stack(deployments: Sequence[Deployment]) -> list[int]:
    """Model numbers that a rollback walks back through, the one in service last.

    deployments : oldest first. Deploying the model in service again changes nothing; nor does a deletion, after which
    the model that is deployed next takes the place of the one that had served.
    """
    stack: list[int] = []
    for deployment in deployments:
        if deployment.action is Action.ROLLBACK:
            stack.pop()
        elif deployment.action is not Action.DELETE and stack[-1:] != [deployment.model]:
            stack.append(deployment.model)
    return stack
