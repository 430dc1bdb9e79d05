"""Model versions and their deployments."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from scones_core.domain.confidence import accuracy_interval

# Names of production variants; AllTraffic is also what SageMaker's SDK calls the only one.
CHAMPION_VARIANT, TRIAL_VARIANT = "AllTraffic", "Challenger"


@dataclass(frozen=True)
class Accuracy:
    """Share of `images` test images whose prediction is the label, with the ends of its 95% interval."""

    value: float
    low: float
    high: float
    images: int


class JobState(StrEnum):
    """Registration state of a training job."""

    OPEN = "open"  # it trains, or its model is being registered
    REGISTERED = "registered"
    FAILED = "failed"  # it has completed, and its model could not be registered
    ENDED = "ended"  # it failed or was stopped: there is no model


@dataclass(frozen=True)
class JobRecord:
    """A training job in the database. failure : why there is no model version; None unless state FAILED."""

    name: str
    dataset: str
    created: datetime
    state: JobState
    failure: str | None = None


class Approval(StrEnum):
    """SageMaker's ModelApprovalStatus."""

    PENDING = "PendingManualApproval"
    APPROVED = "Approved"
    REJECTED = "Rejected"


@dataclass(frozen=True)
class ModelVersion:
    """A trained model with its lineage. `id` is "v" and its number.

    rejected_by, rejection : who rejected it and why; None unless a person did.
    """

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
    rejected_by: str | None = None
    rejection: str | None = None

    @property
    def id(self) -> str:
        return f"v{self.number}"

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the model's probabilities."""
        return tuple(json.loads(self.hyperparameters["classes"]))

    @property
    def accuracy(self) -> Accuracy:
        """On the test images of its dataset version."""
        return accuracy_of(self.metrics)


def accuracy_of(metrics: Mapping[str, Any]) -> Accuracy:
    """The accuracy of an evaluation, from its confusion matrix."""
    confusion = metrics["confusion"]
    correct, images = sum(row[i] for i, row in enumerate(confusion)), sum(map(sum, confusion))
    return Accuracy(correct / images, *accuracy_interval(correct, images), images)


def number_of(id: str | None) -> int | None:
    """The number in the id of a model version; None if it is not one."""
    found = re.fullmatch(r"v([1-9]\d{0,8})", id or "")
    return int(found[1]) if found else None


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
        """Whether the champion stays the same."""
        return self in (Action.START_TRIAL, Action.CHANGE_SHARE, Action.END_TRIAL)


@dataclass(frozen=True)
class Deployment:
    """One change of an endpoint: user, time and model; for a deletion, the model that was in service.

    share : the trial's share of the traffic from then on, above 0 and below 1; None without a trial.
    done : the endpoint has confirmed it.  ended : when it was confirmed or failed; None while it is running.
    Older app versions did not record the end: it then equals `time`.
    reason : as the user gave it, or empty.
    """

    id: int
    time: datetime
    endpoint: str
    model: int
    action: Action
    actor: str
    share: float | None = None
    done: bool = True
    ended: datetime | None = None
    reason: str = ""


def service_stack(deployments: Sequence[Deployment]) -> list[int]:
    """Model numbers a rollback steps back through, the one in service last.

    deployments : oldest first. Deploying the model in service again changes nothing; nor does a trial. After a
    deletion, the next deployed model replaces the one that was in service.
    """
    stack: list[int] = []
    for deployment in deployments:
        if deployment.action.of_trial:
            continue
        if deployment.action is Action.ROLLBACK:
            del stack[-1:]
        elif deployment.action is not Action.DELETE and stack[-1:] != [deployment.model]:
            stack.append(deployment.model)
    return stack
