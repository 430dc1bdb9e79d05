"""Deployments: deploy, promote, roll back, trial, delete."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scones_core import logs
from scones_core.db import models as table
from scones_core.domain.models import TRIAL_VARIANT, Action, Approval, Deployment, ModelVersion, service_stack
from scones_core.errors import BadInput, Conflict, Damaged, NotFound
from scones_core.ports import Endpoint, Trial
from scones_core.services import training
from scones_core.services.app import App
from scones_core.services.endpoint_changes import noted, one_at_a_time
from scones_core.services.threshold import ENDPOINT_NAME, VARIABLES, variables

log = logs.get(__name__)

LEAST_SHARE, MOST_SHARE = 0.01, 0.5  # bounds of a trial's share of the traffic


@logs.use_case
@one_at_a_time
def deploy(app: App, model: str | None = None, *, capture_percentage: int | None = None, actor: str = "") -> Endpoint:
    """Serve a model version; the endpoint is created or updated in place, and a trial ends.

    model : default: the newest not rejected.  capture_percentage : 0 to 100; default: the current one, or 100.
    Raises NotFound, BadInput, Damaged.
    """
    version = training.model(app, model) if model else _newest_not_rejected(app)
    return _deploy(app, version, Action.DEPLOY, actor, capture_percentage)


def _deploy(
    app: App,
    version: ModelVersion,
    action: Action,
    actor: str,
    capture_percentage: int | None = None,
    reason: str = "",
) -> Endpoint:
    if capture_percentage is not None and not 0 <= capture_percentage <= 100:
        raise BadInput(f"The capture percentage {capture_percentage} is not between 0 and 100.")
    if capture_percentage is None:
        before = endpoint(app)
        capture_percentage = before.config.capture_percentage if before else 100
    with noted(app, version, action, actor, reason=reason):
        config = training.endpoint_config(version, capture_percentage)
        deployed = app.backend.endpoints.deploy(app.settings.endpoint, config)
        with app.db.turn(VARIABLES):
            app.backend.workflows.configure({**variables(app), ENDPOINT_NAME: app.settings.endpoint})
    return deployed


def _newest_not_rejected(app: App) -> ModelVersion:
    newest = training.model(app)
    for version in training.models(app):
        if version.approval is not Approval.REJECTED:
            return version
    raise NotFound(f"All model versions are rejected: train another, or name one, such as {newest.id}.")


@logs.use_case
@one_at_a_time
def delete(app: App, *, actor: str = "") -> None:
    """Delete the endpoint; captures, labels and model versions are kept. Raises NotFound."""
    serving = get_endpoint(app)
    known = next((model for model in training.models(app) if model.id == serving.config.model), None)
    if known is None:  # a model of another home; the history cannot name it
        app.backend.endpoints.delete(serving.name)
        return
    with noted(app, known, Action.DELETE, actor):
        app.backend.endpoints.delete(serving.name)


@logs.use_case
@one_at_a_time
def start_trial(app: App, model: str, share: float, *, actor: str = "") -> Endpoint:
    """Send a share of the traffic, 0.01 to 0.5, to a model version beside the champion.

    Raises NotFound (no endpoint, no such model), BadInput (share), Conflict (it is the champion, a trial is running,
    different classes), Damaged.
    """
    _check(share)
    serving, version = get_endpoint(app), training.model(app, model)
    if serving.config.model == version.id:
        raise Conflict(f"{version.id} is the champion: choose another model version for the trial.")
    if serving.trial:
        raise Conflict(f"A trial of {serving.trial.config.model} is running: end it before one of {version.id} starts.")
    training.same_classes(training.model(app, serving.config.model), version)
    config = training.endpoint_config(version, serving.config.capture_percentage, variant=TRIAL_VARIANT)
    with noted(app, version, Action.START_TRIAL, actor, share):
        return app.backend.endpoints.set_trial(serving.name, Trial(config, share))


@logs.use_case
@one_at_a_time
def set_trial_share(app: App, share: float, *, actor: str = "") -> Endpoint:
    """Change the trial's share of the traffic, 0.01 to 0.5. Raises NotFound, Conflict, BadInput."""
    _check(share)
    serving, trial = _on_trial(app)
    with noted(app, training.model(app, trial.config.model), Action.CHANGE_SHARE, actor, share):
        return app.backend.endpoints.set_trial(serving.name, replace(trial, share=share))


@logs.use_case
@one_at_a_time
def end_trial(app: App, *, actor: str = "") -> Endpoint:
    """End the trial: the champion gets all traffic. Raises NotFound, Conflict (no trial)."""
    serving, trial = _on_trial(app)
    with noted(app, training.model(app, trial.config.model), Action.END_TRIAL, actor):
        return app.backend.endpoints.set_trial(serving.name, None)


def _check(share: float) -> None:
    if not LEAST_SHARE <= share <= MOST_SHARE:
        raise BadInput(
            f"A trial share of {share:.0%} is out of range: choose between {LEAST_SHARE:.0%} and {MOST_SHARE:.0%}."
        )


def _on_trial(app: App) -> tuple[Endpoint, Trial]:
    serving = get_endpoint(app)
    if serving.trial is None:
        raise Conflict("No trial is running: start one first (page Models).")
    return serving, serving.trial


def trial_started(app: App) -> datetime | None:
    """Start of the running trial (UTC, to the second, like capture times), or None."""
    serving = endpoint(app)
    if serving is None or serving.trial is None:
        return None
    starts = [change.time for change in history(app) if change.action is Action.START_TRIAL]
    return (starts[-1] if starts else serving.updated).replace(microsecond=0)


def endpoint(app: App) -> Endpoint | None:
    """The current endpoint; None if there is none, or if its description is damaged, which every page reports."""
    try:
        return app.backend.endpoints.describe(app.settings.endpoint)
    except Damaged as error:
        log.error("endpoint unknown", error=str(error))
        return None


def get_endpoint(app: App) -> Endpoint:
    """The endpoint. Raises NotFound, Damaged."""
    found = app.backend.endpoints.describe(app.settings.endpoint)
    if found is None:
        raise NotFound("No model is deployed yet: deploy one first (command deploy, page Train & deploy).")
    return found


@logs.use_case
def set_capture(app: App, percentage: int) -> Endpoint:
    """Change the data-capture percentage, 0 to 100, of the model in service."""
    return deploy(app, get_endpoint(app).config.model, capture_percentage=percentage)


def history(app: App) -> list[Deployment]:
    """All successful deployments, oldest first."""
    with app.db.read() as connection:
        return table.deployment_list(connection, app.settings.endpoint)


@dataclass(frozen=True)
class InService:
    """A snapshot of endpoint and models. endpoint : None if none is deployed; models : newest first."""

    endpoint: Endpoint | None
    models: Sequence[ModelVersion]

    @property
    def champion(self) -> ModelVersion | None:
        """The model version in service; None without an endpoint, or if this home does not know its model."""
        serving = self.endpoint.config.model if self.endpoint else None
        return next((model for model in self.models if model.id == serving), None)

    @property
    def challenger(self) -> ModelVersion | None:
        """The newest model version, when it is newer than the champion and waits for approval."""
        champion, newest = self.champion, next(iter(self.models), None)
        if champion and newest and newest.number > champion.number and newest.approval is Approval.PENDING:
            return newest
        return None


def in_service(app: App) -> InService:
    """Endpoint and models: one query of the endpoint, one of the database."""
    return InService(endpoint(app), training.models(app))


def champion(app: App) -> ModelVersion | None:
    """The model version in service."""
    return in_service(app).champion


def challenger(app: App) -> ModelVersion | None:
    """The newest model version, when it is newer than the champion and waits for approval."""
    return in_service(app).challenger


def in_service_since(app: App, champion: ModelVersion) -> datetime | None:
    """When the champion came into service (UTC, to the second, like capture times); None if unknown."""
    since: datetime | None = None
    for change in history(app):
        if change.action.of_trial:
            continue
        serving = change.action is not Action.DELETE and change.model == champion.number
        since = (since or change.ended or change.time) if serving else None
    return since.replace(microsecond=0) if since else None


def previous(app: App) -> str | None:
    """The model version a rollback returns to; None if there is no earlier one, or no endpoint."""
    changes = history(app)
    stack = service_stack(changes)
    return f"v{stack[-2]}" if len(stack) > 1 and changes[-1].action is not Action.DELETE else None


@logs.use_case
@one_at_a_time
def promote(app: App, model: str | None = None, *, actor: str = "", reason: str = "") -> Endpoint:
    """Put the challenger, or a named model version, into service."""
    version = training.model(app, model) if model else challenger(app)
    if version is None:
        raise Conflict("No challenger to promote: retrain first, or name a model version.")
    return _deploy(app, version, Action.PROMOTE, actor, reason=reason)


@logs.use_case
@one_at_a_time
def reject(app: App, model: str, *, actor: str, reason: str) -> ModelVersion:
    """Reject a model version: it is no longer a challenger. It can still be deployed by name.

    Raises NotFound, BadInput (no reason), Conflict (it is in service or on trial).
    """
    version, serving = training.model(app, model), endpoint(app)
    if not reason.strip():
        raise BadInput(f"{version.id} is not rejected: give a reason.")
    if serving and version.id in (serving.config.model, serving.trial and serving.trial.config.model):
        raise Conflict(f"{version.id} is serving: roll back, or end its trial, before you reject it.")
    with app.db.write() as connection:
        table.reject(connection, version.number, actor, reason.strip())
    training.publish(app, version.number)
    return training.model(app, version.id)


@logs.use_case
@one_at_a_time
def rollback(app: App, *, actor: str = "") -> Endpoint:
    """Return the previous model to service; the current one becomes Rejected."""
    back_to = previous(app)
    if back_to is None or champion(app) is None:
        raise Conflict("No earlier model to roll back to: only one has been in service.")
    return _deploy(app, training.model(app, back_to), Action.ROLLBACK, actor)
