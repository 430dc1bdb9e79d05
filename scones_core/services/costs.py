"""What training and serving cost, where they cost anything: the embedded backend runs at no charge."""

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
    """Instances with the price of one; `unknown` says why there is none, and what to do."""

    instances: Instances
    price: Price | None
    unknown: str = ""


@dataclass(frozen=True)
class TrainingCost(Priced):
    """seconds: that a job is reckoned to take, as the training of `like` took; None is the reference run."""

    seconds: float = costs.REFERENCE_SECONDS
    like: str | None = None


@dataclass(frozen=True)
class EndpointCost(Priced):
    """age: since the endpoint was created. quiet: since when nobody has asked it; None when that is unknown."""

    age: timedelta = timedelta()
    quiet: timedelta | None = None
    quiet_unknown: str = ""

    @property
    def idle(self) -> bool:
        return self.quiet is not None and self.quiet >= costs.IDLE


def of_training(app: App) -> TrainingCost | None:
    """The next training job; None where it costs nothing."""
    if app.backend.costs is None:
        return None
    instances = app.backend.costs.training()
    done = next((model for model in training.models(app) if model.seconds is not None), None)
    price = _price(app.backend.costs, instances)
    if done is None or done.seconds is None:
        return TrainingCost(instances, *price)
    return TrainingCost(instances, *price, seconds=done.seconds, like=done.id)


def of_hosting(app: App) -> Priced | None:
    """An endpoint that would be deployed now; None where it costs nothing."""
    if app.backend.costs is None:
        return None
    instances = app.backend.costs.hosting()
    return Priced(instances, *_price(app.backend.costs, instances))


def of_endpoint(app: App) -> EndpointCost | None:
    """The endpoint that runs; None where none does, or where it costs nothing."""
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
        return None, f"The price of {instances.type} is unknown, because {_continued(error)}"


def _quiet(asked: Costs, endpoint: Endpoint, now: datetime) -> tuple[timedelta | None, str]:
    try:
        return costs.quiet(endpoint.created, asked.last_asked(endpoint.name), now), ""
    except SconesError as error:
        return None, f"Whether {endpoint.name} is idle is unknown, because {_continued(error)}"


def _continued(error: SconesError) -> str:
    """The message as the rest of a sentence: “AWS …” stays, “There …” becomes “there …”."""
    text = str(error)
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
