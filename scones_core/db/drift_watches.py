"""Queries on drift watches and the image statistics that they have seen."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scones_core.db.evidence_schema import drift_watches, image_statistics
from scones_core.db.schema import dataset_images, inferences
from scones_core.domain.attribution import Attribution
from scones_core.domain.datasets import TRAIN

LATE = timedelta(hours=1)  # captures that are written so much later are still watched


def current(connection: sa.Connection, endpoint: str, model: int) -> dict[str, Any] | None:
    """The watch in force of a model at an endpoint."""
    table = drift_watches.c
    query = sa.select(drift_watches).where(table.endpoint == endpoint, table.model == model)
    row = connection.execute(query.order_by(table.id.desc()).limit(1)).mappings().first()
    return dict(row) if row else None


def before(connection: sa.Connection, watch: Mapping[str, Any]) -> dict[str, Any] | None:
    """The watch of the same model before this one, whose alarm was acknowledged."""
    table = drift_watches.c
    query = sa.select(drift_watches).where(table.endpoint == watch["endpoint"], table.model == watch["model"])
    row = connection.execute(query.where(table.id < watch["id"]).order_by(table.id.desc()).limit(1)).mappings().first()
    return dict(row) if row else None


def add(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    query = sa.insert(drift_watches).values(dict(values)).returning(drift_watches.c.id)
    return int(connection.scalar(query) or 0)


def update(connection: sa.Connection, id: int, values: Mapping[str, Any]) -> None:
    connection.execute(sa.update(drift_watches).where(drift_watches.c.id == id).values(dict(values)))


def unwatched(
    connection: sa.Connection, endpoint: str, model: int, dataset: str, since: datetime, limit: int
) -> list[dict[str, Any]]:
    """Inferences attributed to a model at an endpoint that no watch of it has seen, oldest first.

    Of more than `limit`, every so manieth.  Left out: images that a watch of this model has seen, which are no new
    evidence, and those that it was trained on, of which it is surer.
    """
    table, seen = inferences.c, image_statistics.c
    newest = connection.scalar(sa.select(sa.func.max(seen.time)).where(seen.model == model))
    after = max(since, newest - LATE) if newest else since
    trained = dataset_images.c
    query = (
        sa.select(inferences, sa.func.row_number().over(order_by=(table.time, table.event_id)).label("place"))
        .where(table.endpoint == endpoint, table.model == model, table.attribution == str(Attribution.MODEL))
        .where(table.time >= after)
        .where(~sa.exists().where(seen.model == model, seen.image_sha256 == table.image_sha256))
        .where(
            ~sa.exists().where(trained.dataset == dataset, trained.split == TRAIN, trained.sha256 == table.image_sha256)
        )
        .subquery()
    )
    count = int(connection.scalar(sa.select(sa.func.count()).select_from(query)) or 0)
    step = -(-count // limit) or 1
    chosen = sa.select(query).where(query.c.place % step == 0).order_by(query.c.place)
    return [dict(row) for row in connection.execute(chosen).mappings()]


def add_statistics(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(image_statistics), [dict(row) for row in rows])


def time_of(connection: sa.Connection, watch: int, number: int) -> datetime:
    """Time of the inference that is a watch's observation of this number."""
    table = image_statistics.c
    query = sa.select(table.time).where(table.watch == watch, table.number == number)
    found: datetime = connection.execute(query).scalar_one()
    return found


def events(connection: sa.Connection, watch: int, first: int, last: int) -> list[str]:
    """Event ids of the observations numbered `first` to `last`, in their order."""
    table = image_statistics.c
    query = sa.select(table.event_id).where(table.watch == watch, table.number.between(first, last))
    return list(connection.scalars(query.order_by(table.number)))
