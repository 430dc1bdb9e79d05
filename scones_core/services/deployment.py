"""Which model serves: deploy, promote, roll back; which is tried beside it; and the end of the endpoint."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import update_wrapper
from typing import Concatenate, ParamSpec, TypeVar

from scones_core import logs
from scones_core.db import models as table
from scones_core.domain.models import TRIAL_VARIANT, Action, Approval, Deployment, ModelVersion, service_stack
from scones_core.errors import BadInput, Conflict, Damaged, NotFound, Unavailable
from scones_core.ports import Endpoint, Trial
from scones_core.services import training
from scones_core.services.app import App
from scones_core.services.threshold import ENDPOINT_NAME, VARIABLES, variables

log = logs.get(__name__)
P = ParamSpec("P")
T = TypeVar("T")

LEAST_SHARE, MOST_SHARE = 0.01, 0.5  # of the traffic, that a trial may get
ENDPOINT = "endpoint"  # what is changed by one at a time


def _one_at_a_time(change: Callable[Concatenate[App, P], T]) -> Callable[Concatenate[App, P], T]:
    """A change of the endpoint decides and acts on what it sees: the next waits, in this process or another."""

    def alone(app: App, /, *given: P.args, **named: P.kwargs) -> T:
        with app.db.turn(ENDPOINT):
            return change(app, *given, **named)

    return update_wrapper(alone, change)


@logs.use_case
@_one_at_a_time
def deploy(app: App, model: str | None = None, *, capture_percentage: int | None = None, actor: str = "") -> Endpoint:
    """Serve a model version; the endpoint is created or updated in place, and a trial ends.

    model : default: the newest that was not rejected.  capture_percentage : 0 to 100; default: as it was, or 100.
    Raises NotFound, BadInput, Damaged.
    """
    version = training.model(app, model) if model else _newest_not_rejected(app)
    return _deploy(app, version, Action.DEPLOY, actor, capture_percentage)


def _deploy(
    app: App, version: ModelVersion, action: Action, actor: str, capture_percentage: int | None = None
) -> Endpoint:
    if capture_percentage is not None and not 0 <= capture_percentage <= 100:
        raise BadInput(f"The capture percentage {capture_percentage} is not between 0 and 100.")
    if capture_percentage is None:
        before = endpoint(app)
        capture_percentage = before.config.capture_percentage if before else 100
    with _noted(app, version, action, actor):
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
    raise NotFound(f"Every model version has been rejected: train another, or name one, such as {newest.id}.")


@logs.use_case
@_one_at_a_time
def delete(app: App, *, actor: str = "") -> None:
    """Delete the endpoint; what it captured, the labels and the model versions are kept. Raises NotFound."""
    serving = get_endpoint(app)
    known = next((model for model in training.models(app) if model.id == serving.config.model), None)
    if known is None:  # somebody else's model; the history cannot name it
        app.backend.endpoints.delete(serving.name)
        return
    with _noted(app, known, Action.DELETE, actor):
        app.backend.endpoints.delete(serving.name)


@contextmanager
def _noted(app: App, version: ModelVersion, action: Action, actor: str, share: float | None = None) -> Iterator[None]:
    """Note a change in the history before it is made, and afterwards when it ended and whether it succeeded.

    One that failed stays noted: what was captured meanwhile may be either model's.
    """
    _note_unseen(app)
    change = Deployment(0, datetime.now(UTC), app.settings.endpoint, version.number, action, actor, share, done=False)
    with app.db.write() as connection:
        change = replace(change, id=table.add_deployment(connection, change))
    done = False
    try:
        yield
        done = True
    finally:
        _end(app, change, done=done)


def _end(app: App, change: Deployment, *, done: bool) -> None:
    """Note the end of a change, and with it what becomes of the models: approved what came, rejected what was left."""
    approvals: dict[int, Approval] = {}
    with app.db.write() as connection:
        if done and change.action in (Action.DEPLOY, Action.PROMOTE, Action.ROLLBACK):
            left = service_stack(table.deployment_list(connection, change.endpoint))[-1:]
            if change.action is Action.ROLLBACK and left:
                approvals[left[0]] = Approval.REJECTED
            approvals[change.model] = Approval.APPROVED
        table.end_deployment(connection, change.id, datetime.now(UTC), done=done)
        for model, approval in approvals.items():
            table.set_approval(connection, model, approval)
    for model in approvals:
        training.publish(app, model)


@logs.use_case
@_one_at_a_time
def start_trial(app: App, model: str, share: float, *, actor: str = "") -> Endpoint:
    """Let a model version answer a share of the traffic, 0.01 to 0.5, beside the champion.

    Raises NotFound (no endpoint, no such model), BadInput (share), Conflict (it serves, a trial is under way, other
    classes), Damaged.
    """
    _check(share)
    serving, version = get_endpoint(app), training.model(app, model)
    if serving.config.model == version.id:
        raise Conflict(f"{version.id} is the champion itself: choose another model version to try beside it.")
    if serving.trial:
        raise Conflict(f"A trial of {serving.trial.config.model} is under way: end it before {version.id} is tried.")
    training.same_classes(training.model(app, serving.config.model), version)
    config = training.endpoint_config(version, serving.config.capture_percentage, variant=TRIAL_VARIANT)
    with _noted(app, version, Action.START_TRIAL, actor, share):
        return app.backend.endpoints.set_trial(serving.name, Trial(config, share))


@logs.use_case
@_one_at_a_time
def set_trial_share(app: App, share: float, *, actor: str = "") -> Endpoint:
    """Change the share of the traffic, 0.01 to 0.5, that the trial gets. Raises NotFound, Conflict, BadInput."""
    _check(share)
    serving, trial = _on_trial(app)
    with _noted(app, training.model(app, trial.config.model), Action.CHANGE_SHARE, actor, share):
        return app.backend.endpoints.set_trial(serving.name, replace(trial, share=share))


@logs.use_case
@_one_at_a_time
def end_trial(app: App, *, actor: str = "") -> Endpoint:
    """Let the champion answer alone again. Raises NotFound, Conflict (no trial)."""
    serving, trial = _on_trial(app)
    with _noted(app, training.model(app, trial.config.model), Action.END_TRIAL, actor):
        return app.backend.endpoints.set_trial(serving.name, None)


def _check(share: float) -> None:
    if not LEAST_SHARE <= share <= MOST_SHARE:
        raise BadInput(
            f"A trial cannot get {share:.0%} of the traffic: choose between {LEAST_SHARE:.0%} and {MOST_SHARE:.0%}."
        )


def _on_trial(app: App) -> tuple[Endpoint, Trial]:
    serving = get_endpoint(app)
    if serving.trial is None:
        raise Conflict("No trial is under way: start one first (page Models).")
    return serving, serving.trial


def trial_started(app: App) -> datetime | None:
    """When the trial that is under way was started (UTC, to the second, as times of captures are), or None."""
    serving = endpoint(app)
    if serving is None or serving.trial is None:
        return None
    starts = [change.time for change in history(app) if change.action is Action.START_TRIAL]
    return (starts[-1] if starts else serving.updated).replace(microsecond=0)


def endpoint(app: App) -> Endpoint | None:
    """The endpoint as it is now; None where there is none, or its description is damaged, of which every page tells."""
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
    """All deployments of the endpoint that succeeded, oldest first."""
    with app.db.read() as connection:
        return table.deployment_list(connection, app.settings.endpoint)


def note_ended(app: App) -> None:
    """Note what became of changes whose end was not seen, for the app was killed: the endpoint tells.

    While a change is under way, here or in another process, or the endpoint is still at one, nothing is noted.
    """
    try:
        with app.db.turn(ENDPOINT, timeout=0):
            _note_unseen(app)
    except Unavailable as error:
        log.info("changes not looked at", reason=str(error))


def _note_unseen(app: App) -> None:
    with app.db.read() as connection:
        noted = table.deployment_list(connection, app.settings.endpoint, done=False)
    unseen = [change for change in noted if change.ended is None]
    if not unseen:
        return
    try:
        serving = app.backend.endpoints.describe(app.settings.endpoint)
    except Damaged:  # the next deployment writes the description anew
        return
    if serving and serving.status not in ("InService", "Failed"):
        return
    for change in unseen:
        _end(app, change, done=_has_happened(change, serving))


def _has_happened(noted: Deployment, serving: Endpoint | None) -> bool:
    if serving is None or noted.action is Action.DELETE:
        return serving is None and noted.action is Action.DELETE
    if noted.action is Action.END_TRIAL:
        return serving.trial is None
    if noted.action.of_trial:
        wanted = (f"v{noted.model}", noted.share)
        return serving.trial is not None and (serving.trial.config.model, serving.trial.share) == wanted
    return serving.config.model == f"v{noted.model}"


@dataclass(frozen=True)
class InService:
    """What serves and what waits, seen once. endpoint : None where none is deployed; models : newest first."""

    endpoint: Endpoint | None
    models: Sequence[ModelVersion]

    @property
    def champion(self) -> ModelVersion | None:
        """The model version in service; None where nothing serves, or a model that this home does not know."""
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
    """What serves and what waits: one look at the endpoint, one at the database."""
    return InService(endpoint(app), training.models(app))


def champion(app: App) -> ModelVersion | None:
    """The model version in service."""
    return in_service(app).champion


def challenger(app: App) -> ModelVersion | None:
    """The newest model version, when it is newer than the champion and waits for approval."""
    return in_service(app).challenger


def in_service_since(app: App, champion: ModelVersion) -> datetime | None:
    """When the champion came into service (UTC, to the second, as times of captures are); None where nobody knows."""
    since: datetime | None = None
    for change in history(app):
        if change.action.of_trial:
            continue
        serving = change.action is not Action.DELETE and change.model == champion.number
        since = (since or change.ended or change.time) if serving else None
    return since.replace(microsecond=0) if since else None


def previous(app: App) -> str | None:
    """The model version that a rollback brings back; None where none served before, or none serves now."""
    changes = history(app)
    stack = service_stack(changes)
    return f"v{stack[-2]}" if len(stack) > 1 and changes[-1].action is not Action.DELETE else None


@logs.use_case
@_one_at_a_time
def promote(app: App, model: str | None = None, *, actor: str = "") -> Endpoint:
    """Put the challenger, or a named model version, into service."""
    version = training.model(app, model) if model else challenger(app)
    if version is None:
        raise Conflict("There is no challenger to promote: retrain first, or name a model version.")
    return _deploy(app, version, Action.PROMOTE, actor)


@logs.use_case
@_one_at_a_time
def rollback(app: App, *, actor: str = "") -> Endpoint:
    """Bring back the model that served before; the one taken out becomes Rejected."""
    back_to = previous(app)
    if back_to is None or champion(app) is None:
        raise Conflict("There is no earlier model to roll back to: only one has been in service.")
    return _deploy(app, training.model(app, back_to), Action.ROLLBACK, actor)
