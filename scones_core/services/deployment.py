"""Which model serves: deploy, promote, roll back; and the end of the endpoint."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from scones_core.db import models as table
from scones_core.domain.models import Action, Approval, Deployment, ModelVersion, service_stack
from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.ports import Endpoint
from scones_core.services import training
from scones_core.services.app import App


def deploy(
    app: App,
    model: str | None = None,
    *,
    capture_percentage: int | None = None,
    actor: str = "",
    action: Action = Action.DEPLOY,
) -> Endpoint:
    """Serve a model version (default: the newest); the endpoint is created or updated in place.

    capture_percentage : 0 to 100; default: as it was, or 100. Raises NotFound, BadInput, Damaged.
    """
    if capture_percentage is not None and not 0 <= capture_percentage <= 100:
        raise BadInput(f"The capture percentage {capture_percentage} is not between 0 and 100.")
    version = training.model(app, model)
    if capture_percentage is None:
        before = app.backend.endpoints.describe(app.settings.endpoint)
        capture_percentage = before.config.capture_percentage if before else 100
    with _noted(app, version, action, actor):
        config = training.endpoint_config(version, capture_percentage)
        endpoint = app.backend.endpoints.deploy(app.settings.endpoint, config)
        app.backend.workflows.configure({"ENDPOINT_NAME": app.settings.endpoint})
        with app.db.write() as connection:
            table.set_approval(connection, version.number, Approval.APPROVED)
    training.publish(app, version.number)
    return endpoint


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
def _noted(app: App, version: ModelVersion, action: Action, actor: str) -> Iterator[None]:
    """Note a change in the history before it is made; confirm it afterwards, or drop it when it failed."""
    with app.db.write() as connection:
        values = {"endpoint": app.settings.endpoint, "model": version.number, "action": str(action), "actor": actor}
        noted = table.add_deployment(connection, {**values, "time": datetime.now(UTC)})
    try:
        yield
    except BaseException:
        with app.db.write() as connection:
            table.drop_deployment(connection, noted)
        raise
    with app.db.write() as connection:
        table.confirm_deployment(connection, noted)


def endpoint(app: App) -> Endpoint | None:
    """The endpoint as it is now, or None."""
    return app.backend.endpoints.describe(app.settings.endpoint)


def get_endpoint(app: App) -> Endpoint:
    """The endpoint. Raises NotFound."""
    found = endpoint(app)
    if found is None:
        raise NotFound("No model is deployed yet: deploy one first (command deploy, page Train & deploy).")
    return found


def set_capture(app: App, percentage: int) -> Endpoint:
    """Change the data-capture percentage, 0 to 100, of the model in service."""
    return deploy(app, get_endpoint(app).config.model, capture_percentage=percentage)


def history(app: App) -> list[Deployment]:
    """All deployments of the endpoint, oldest first.

    One that was noted but not confirmed (the app was killed in between) is settled by what the endpoint serves.
    """
    with app.db.read() as connection:
        open_ones = table.deployment_list(connection, app.settings.endpoint, done=False)
    if open_ones and datetime.now(UTC).timestamp() - open_ones[-1].time.timestamp() > 60:
        serving = endpoint(app)
        with app.db.write() as connection:
            for noted in open_ones:
                if _has_happened(noted, serving):
                    table.confirm_deployment(connection, noted.id)
                else:
                    table.drop_deployment(connection, noted.id)
    with app.db.read() as connection:
        return table.deployment_list(connection, app.settings.endpoint)


def _has_happened(noted: Deployment, serving: Endpoint | None) -> bool:
    if noted.action is Action.DELETE:
        return serving is None
    return serving is not None and serving.config.model == f"v{noted.model}"


def champion(app: App) -> ModelVersion | None:
    """The model version in service."""
    serving = endpoint(app)
    return training.model(app, serving.config.model) if serving else None


def challenger(app: App) -> ModelVersion | None:
    """The newest model version, when it is newer than the champion and waits for approval."""
    serving = champion(app)
    found = training.models(app)
    if serving and found and found[0].number > serving.number and found[0].approval is Approval.PENDING:
        return found[0]
    return None


def previous(app: App) -> str | None:
    """The model version that a rollback brings back; None where none served before, or none serves now."""
    changes = history(app)
    stack = service_stack(changes)
    return f"v{stack[-2]}" if len(stack) > 1 and changes[-1].action is not Action.DELETE else None


def promote(app: App, model: str | None = None, *, actor: str = "") -> Endpoint:
    """Put the challenger, or a named model version, into service."""
    if model is None:
        waiting = challenger(app)
        if waiting is None:
            raise Conflict("There is no challenger to promote: retrain first, or name a model version.")
        model = waiting.id
    return deploy(app, model, actor=actor, action=Action.PROMOTE)


def rollback(app: App, *, actor: str = "") -> Endpoint:
    """Bring back the model that served before; the one taken out becomes Rejected."""
    back_to, taken_out = previous(app), champion(app)
    if back_to is None or taken_out is None:
        raise Conflict("There is no earlier model to roll back to: only one has been in service.")
    restored = deploy(app, back_to, actor=actor, action=Action.ROLLBACK)
    with app.db.write() as connection:
        table.set_approval(connection, taken_out.number, Approval.REJECTED)
    training.publish(app, taken_out.number)
    return restored
