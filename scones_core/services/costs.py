"""Costs of training and serving; the embedded backend has none."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scones_core.domain import costs
from scones_core.domain.costs import Price
from scones_core.errors import SconesError
from scones_core.ports import Costs, Endpoint, Instances
from scones_core.services import deployment, training
from scones_core.services.app import App


@dataclass(frozen=True)
class Priced:
    """Instances with their unit price; `unknown`: why there is none, and what to do."""

    instances: Instances
    price: Price | None
    unknown: str = ""


@dataclass(frozen=True)
class TrainingCost(Priced):
    """seconds: estimated duration, from the training of `like`, or from the reference run if None."""

    seconds: float = costs.REFERENCE_SECONDS
    like: str | None = None


@dataclass(frozen=True)
class EndpointCost(Priced):
    """age: time since the endpoint was created. quiet: time since its last request; None if unknown."""

    age: timedelta = timedelta()
    quiet: timedelta | None = None
    quiet_unknown: str = ""

    @property
    def idle(self) -> bool:
        return self.quiet is not None and self.quiet >= costs.IDLE


def of_training(app: App) -> TrainingCost | None:
    """The next training job; None if it is free."""
    if app.backend.costs is None:
        return None
    instances = app.backend.costs.training()
    done = next((model for model in training.models(app) if model.seconds is not None), None)
    price = _price(app.backend.costs, instances)
    if done is None or done.seconds is None:
        return TrainingCost(instances, *price)
    return TrainingCost(instances, *price, seconds=done.seconds, like=done.id)


def of_hosting(app: App) -> Priced | None:
    """A new endpoint; None if it is free."""
    if app.backend.costs is None:
        return None
    instances = app.backend.costs.hosting()
    return Priced(instances, *_price(app.backend.costs, instances))


def of_endpoint(app: App) -> EndpointCost | None:
    """The running endpoint; None if there is none, or if it is free."""
    asked = app.backend.costs
    if asked is None or (endpoint := deployment.endpoint(app)) is None:
        return None
    instances = asked.running(endpoint.name)
    if instances is None:
        return None
    now = datetime.now(UTC)
    quiet, quiet_unknown = _quiet(asked, endpoint, now)
    price = _price(asked, instances)
    return EndpointCost(instances, *price, age=now - endpoint.created, quiet=quiet, quiet_unknown=quiet_unknown)


def _price(asked: Costs, instances: Instances) -> tuple[Price | None, str]:
    try:
        return asked.price(instances), ""
    except SconesError as error:
        return None, f"Price of {instances.type} unknown: {_continued(error)}"


def _quiet(asked: Costs, endpoint: Endpoint, now: datetime) -> tuple[timedelta | None, str]:
    try:
        return costs.quiet(endpoint.created, asked.last_asked(endpoint.name), now), ""
    except SconesError as error:
        return None, f"Idle time of {endpoint.name} unknown: {_continued(error)}"


def _continued(error: SconesError) -> str:
    """The message as the rest of a sentence: “AWS …” stays, “No …” becomes “no …”."""
    text = str(error)
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
