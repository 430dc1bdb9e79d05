"""Queries on training jobs, model versions, evaluations and deployments."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scones_core.db.schema import deployments, evaluations, model_versions, training_jobs
from scones_core.domain.models import Action, Approval, Deployment, ModelVersion


def add_job(connection: sa.Connection, name: str, dataset: str, created: datetime) -> None:
    row = {"name": name, "dataset": dataset, "created": created, "settled": False}
    connection.execute(sa.insert(training_jobs), row)


def unsettled_jobs(connection: sa.Connection) -> list[tuple[str, str]]:
    """(name, dataset) of the jobs whose end has not been seen yet, oldest first."""
    table = training_jobs.c
    query = sa.select(table.name, table.dataset).where(sa.not_(table.settled)).order_by(table.created)
    return [(name, dataset) for name, dataset in connection.execute(query)]


def settle_job(connection: sa.Connection, name: str) -> bool:
    """Mark the job's end as seen; False when somebody else did before."""
    table = training_jobs.c
    query = sa.update(training_jobs).where(table.name == name, sa.not_(table.settled)).values(settled=True)
    return bool(connection.execute(query).rowcount)


def job_datasets(connection: sa.Connection) -> dict[str, str]:
    """Training job → dataset version."""
    query = sa.select(training_jobs.c.name, training_jobs.c.dataset)
    return dict(connection.execute(query).all())


def add_model(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """Insert a model version under the next number, which is returned."""
    number = (connection.scalar(sa.select(sa.func.max(model_versions.c.number))) or 0) + 1
    connection.execute(sa.insert(model_versions), {**values, "number": number})
    return int(number)


def model_list(connection: sa.Connection) -> list[ModelVersion]:
    """All model versions, newest first."""
    rows = connection.execute(sa.select(model_versions).order_by(model_versions.c.number.desc())).mappings()
    return [ModelVersion(**{**row, "approval": Approval(row["approval"])}) for row in rows]


def set_approval(connection: sa.Connection, number: int, approval: Approval) -> None:
    query = sa.update(model_versions).where(model_versions.c.number == number).values(approval=str(approval))
    connection.execute(query)


Answers = Mapping[tuple[str, str], Sequence[float]]  # (key, SHA-256) of an image → probabilities


def add_evaluation(connection: sa.Connection, number: int, answers: Answers) -> None:
    """Keep a model's answers, but for those that are kept already."""
    known = evaluation(connection, number)
    rows = [
        {"model": number, "key": key, "sha256": sha256, "probabilities": list(row)}
        for (key, sha256), row in answers.items()
        if (key, sha256) not in known
    ]
    if rows:
        connection.execute(sa.insert(evaluations), rows)


def evaluation(connection: sa.Connection, number: int) -> dict[tuple[str, str], list[float]]:
    """(key, SHA-256) → probabilities, for every image the model was evaluated on."""
    table = evaluations.c
    query = sa.select(table.key, table.sha256, table.probabilities).where(table.model == number)
    return {(key, sha): probabilities for key, sha, probabilities in connection.execute(query)}


def add_deployment(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """Note a deployment that is about to be made; returns its id."""
    query = sa.insert(deployments).values({**values, "done": False}).returning(deployments.c.id)
    return int(connection.scalar(query) or 0)


def confirm_deployment(connection: sa.Connection, id: int) -> None:
    connection.execute(sa.update(deployments).where(deployments.c.id == id).values(done=True))


def drop_deployment(connection: sa.Connection, id: int) -> None:
    connection.execute(sa.delete(deployments).where(deployments.c.id == id, sa.not_(deployments.c.done)))


def deployment_list(connection: sa.Connection, endpoint: str, *, done: bool = True) -> list[Deployment]:
    """Deployments of an endpoint, oldest first."""
    table = deployments
    query = sa.select(table).where(table.c.endpoint == endpoint, table.c.done == done).order_by(table.c.id)
    return [
        Deployment(row.id, row.time, row.endpoint, row.model, Action(row.action), row.actor, row.share)
        for row in connection.execute(query)
    ]
