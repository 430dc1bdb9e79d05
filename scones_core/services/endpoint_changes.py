"""Endpoint changes: one at a time, recorded before they start, reconciled with the endpoint after a crash."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import update_wrapper
from typing import Concatenate, ParamSpec, TypeVar

from scones_core import logs
from scones_core.db import models as table
from scones_core.domain.models import Action, Approval, Deployment, ModelVersion, service_stack
from scones_core.errors import Damaged, Unavailable
from scones_core.ports import Endpoint
from scones_core.services import training
from scones_core.services.app import App

ENDPOINT = "endpoint"  # lock name

log = logs.get(__name__)
P = ParamSpec("P")
T = TypeVar("T")


def one_at_a_time(change: Callable[Concatenate[App, P], T]) -> Callable[Concatenate[App, P], T]:
    """Lock for an endpoint change; others wait, in this and other processes."""

    def alone(app: App, /, *given: P.args, **named: P.kwargs) -> T:
        with app.db.turn(ENDPOINT):
            return change(app, *given, **named)

    return update_wrapper(alone, change)


@contextmanager
def noted(
    app: App, version: ModelVersion, action: Action, actor: str, share: float | None = None, reason: str = ""
) -> Iterator[None]:
    """Record a change in the history before it starts, and its end and result afterwards.

    A failed change stays recorded: inferences captured meanwhile may be of either model.
    """
    _note_unseen(app)
    change = Deployment(
        0, datetime.now(UTC), app.settings.endpoint, version.number, action, actor, share, done=False, reason=reason
    )
    with app.db.write() as connection:
        change = replace(change, id=table.add_deployment(connection, change))
    done = False
    try:
        yield
        done = True
    finally:
        _end(app, change, done=done)


def _end(app: App, change: Deployment, *, done: bool) -> None:
    """Record the end of a change; approve the new model, and reject the one a rollback replaced."""
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


def note_ended(app: App) -> None:
    """Record the result of changes that a crash interrupted, as the endpoint shows it.

    Does nothing while a change is running, in any process or on the endpoint itself.
    """
    try:
        with app.db.turn(ENDPOINT, timeout=0):
            _note_unseen(app)
    except Unavailable as error:
        log.info("changes not reconciled", reason=str(error))


def _note_unseen(app: App) -> None:
    with app.db.read() as connection:
        noted = table.deployment_list(connection, app.settings.endpoint, done=False)
    unseen = [change for change in noted if change.ended is None]
    if not unseen:
        return
    try:
        serving = app.backend.endpoints.describe(app.settings.endpoint)
    except Damaged:  # the next deployment rewrites the description
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
