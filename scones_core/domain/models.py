"""Model versions and their deployments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

# Names of production variants; AllTraffic is also what SageMaker's SDK calls the only one.
CHAMPION_VARIANT, TRIAL_VARIANT = "AllTraffic", "Challenger"


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
    START_TRIAL = "start trial"
    CHANGE_SHARE = "change share"
    END_TRIAL = "end trial"

    @property
    def of_trial(self) -> bool:
        """Whether the champion stays what it is."""
        return self in (Action.START_TRIAL, Action.CHANGE_SHARE, Action.END_TRIAL)


@dataclass(frozen=True)
class Deployment:
    """One change of what an endpoint serves: who, when, which model; that of a deletion is the one that had served.

    share : of the traffic, above 0 and below 1; that which a trial gets from then on, None where there is none.
    """

    id: int
    time: datetime
    endpoint: str
    model: int
    action: Action
    actor: str
    share: float | None = None


def service_stack(deployments: Sequence[Deployment]) -> list[int]:
    """Model numbers that a rollback walks back through, the one in service last.

    deployments : oldest first. Deploying the model in service again changes nothing; nor does a trial, nor a deletion,
    after which the model that is deployed next takes the place of the one that had served.
    """
    stack: list[int] = []
    for deployment in deployments:
        if deployment.action.of_trial:
            continue
        if deployment.action is Action.ROLLBACK:
            stack.pop()
        elif deployment.action is not Action.DELETE and stack[-1:] != [deployment.model]:
            stack.append(deployment.model)
    return stack
