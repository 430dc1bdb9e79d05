"""Queries on training jobs, model versions, evaluations and deployments."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scones_core.db.schema import deployments, evaluations, model_versions, training_jobs
from scones_core.domain.models import Action, Approval, Deployment, JobRecord, JobState, ModelVersion


def add_job(connection: sa.Connection, name: str, dataset: str, created: datetime) -> None:
    row = {"name": name, "dataset": dataset, "created": created, "state": str(JobState.OPEN)}
    connection.execute(sa.insert(training_jobs), row)


def jobs(connection: sa.Connection, state: JobState | None = None) -> list[JobRecord]:
    """Training jobs, or those in one state, oldest first."""
    table = training_jobs.c
    query = sa.select(table.name, table.dataset, table.created, table.state, table.failure).order_by(table.created)
    if state is not None:
        query = query.where(table.state == str(state))
    return [
        JobRecord(row.name, row.dataset, row.created, JobState(row.state), row.failure)
        for row in connection.execute(query)
    ]


def jobs_in(state: JobState) -> sa.Select[Any]:
    """Counts the training jobs in a state."""
    return sa.select(sa.func.count()).select_from(training_jobs).where(training_jobs.c.state == str(state))


def claim_job(connection: sa.Connection, name: str, owner: str, now: datetime, until: datetime) -> bool:
    """Claim an open job for a process; False if another holds it. The holder can renew its claim."""
    table = training_jobs.c
    free = sa.or_(table.claimed_until.is_(None), table.claimed_until <= now, table.claimed_by == owner)
    query = sa.update(training_jobs).where(table.name == name, table.state == str(JobState.OPEN), free)
    return bool(connection.execute(query.values(claimed_by=owner, claimed_until=until)).rowcount)


def finish_job(connection: sa.Connection, name: str, state: JobState, failure: str | None = None) -> bool:
    """Record the result of an open job; False if another process already did."""
    table = training_jobs.c
    query = sa.update(training_jobs).where(table.name == name, table.state == str(JobState.OPEN))
    values = {"state": str(state), "failure": failure, "claimed_by": None, "claimed_until": None}
    return bool(connection.execute(query.values(values)).rowcount)


def reopen_job(connection: sa.Connection, name: str) -> bool:
    """Reopen a failed registration; False if it had not failed."""
    table = training_jobs.c
    query = sa.update(training_jobs).where(table.name == name, table.state == str(JobState.FAILED))
    return bool(connection.execute(query.values(state=str(JobState.OPEN), failure=None)).rowcount)


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
    query = sa.update(model_versions).where(model_versions.c.number == number)
    connection.execute(query.values(approval=str(approval), rejected_by=None, rejection=None))


def reject(connection: sa.Connection, number: int, by: str, reason: str) -> None:
    query = sa.update(model_versions).where(model_versions.c.number == number)
    connection.execute(query.values(approval=str(Approval.REJECTED), rejected_by=by, rejection=reason))


Answers = Mapping[tuple[str, str], Sequence[float]]  # (key, SHA-256) of an image → probabilities


def add_evaluation(connection: sa.Connection, number: int, answers: Answers) -> None:
    """Store a model's predictions, except those already stored."""
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


def add_deployment(connection: sa.Connection, change: Deployment) -> int:
    """Record a deployment that is about to start; returns its id."""
    values = {**vars(change), "action": str(change.action)}
    del values["id"]
    query = sa.insert(deployments).values(values).returning(deployments.c.id)
    return int(connection.scalar(query) or 0)


def end_deployment(connection: sa.Connection, id: int, ended: datetime, *, done: bool) -> None:
    """Record the end of a deployment, and whether the endpoint confirmed it."""
    connection.execute(sa.update(deployments).where(deployments.c.id == id).values(done=done, ended=ended))


def deployment_list(connection: sa.Connection, endpoint: str, *, done: bool = True) -> list[Deployment]:
    """Deployments of an endpoint, oldest first; with `done` False, also unconfirmed ones."""
    table = deployments
    query = sa.select(table).where(table.c.endpoint == endpoint).order_by(table.c.id)
    if done:
        query = query.where(table.c.done)
    return [
        Deployment(
            row.id,
            row.time,
            row.endpoint,
            row.model,
            Action(row.action),
            row.actor,
            row.share,
            row.done,
            row.ended,
            row.reason,
        )
        for row in connection.execute(query)
    ]
