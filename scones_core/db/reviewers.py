"""Queries on what reviewers decided, and on gold images."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scones_core.db.inferences import class_lists
from scones_core.db.label_checks import label_checks
from scones_core.db.schema import decisions as table
from scones_core.db.schema import gold_images, inferences, leases, reviewed_images


def _valid() -> sa.ColumnElement[bool]:
    undoing = table.alias("undoing")
    return sa.and_(table.c.action != "undo", ~sa.exists().where(undoing.c.undoes == table.c.id))


def votes(connection: sa.Connection, queue: int) -> list[dict[str, Any]]:
    """The decisions made in a queue and not taken back, oldest first: image_sha256, reviewer, label, event_id, note."""
    columns = (table.c.image_sha256, table.c.reviewer, table.c.label, table.c.event_id, table.c.note)
    query = sa.select(*columns).where(table.c.queue == queue, _valid()).order_by(table.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def decisions(connection: sa.Connection, reviewer: str | None) -> list[dict[str, Any]]:
    """Decisions not taken back, of one reviewer or of all, oldest first.

    reviewer, label, time, strategy, prediction_name (None if unknown), current (label of the image), gold (its known
    label, or None).
    """
    return _decisions(connection, *([] if reviewer is None else [table.c.reviewer == reviewer]))


def decisions_in_order(
    connection: sa.Connection, model: int, strategies: Collection[str], newest: int
) -> list[dict[str, Any]]:
    """The newest labels given to what a model predicted, where images came in the order of one of the strategies."""
    named = table.c.label.not_like("/%")  # other answers are no label
    which = (table.c.model == model, table.c.strategy.in_(strategies), table.c.action == "label", named)
    return _decisions(connection, *which, newest=newest)


def _decisions(
    connection: sa.Connection, *which: sa.ColumnElement[bool], newest: int | None = None
) -> list[dict[str, Any]]:
    query = (
        sa.select(
            table.c.reviewer,
            table.c.label,
            table.c.time,
            table.c.strategy,
            *(
                sa.func.coalesce(inferences.c[name], label_checks.c[name]).label(name)
                for name in ("prediction", "class_list")
            ),
            reviewed_images.c.label.label("current"),
            gold_images.c.label.label("gold"),
        )
        .outerjoin(inferences, inferences.c.event_id == table.c.event_id)
        .outerjoin(label_checks, label_checks.c.event_id == table.c.event_id)
        .outerjoin(reviewed_images, reviewed_images.c.image_sha256 == table.c.image_sha256)
        .outerjoin(gold_images, gold_images.c.image_sha256 == table.c.image_sha256)
        .where(_valid(), *which)
        .order_by(table.c.id.desc())
        .limit(newest)
    )
    lists, found = class_lists(connection), []
    for row in reversed([dict(row) for row in connection.execute(query).mappings()]):
        names, index = lists.get(row["class_list"], ()), row["prediction"]
        found.append(row | {"prediction_name": names[index] if index < len(names) else None})
    return found


def set_gold(connection: sa.Connection, values: dict[str, Any]) -> None:
    """Make an image gold, or change its known label."""
    connection.execute(sa.delete(gold_images).where(gold_images.c.image_sha256 == values["image_sha256"]))
    connection.execute(sa.insert(gold_images), values)


def gold_for(connection: sa.Connection, reviewer: str, count: int, now: datetime) -> list[dict[str, Any]]:
    """Inferences of gold images that nobody holds and that this reviewer has not answered, at random."""
    answered = sa.select(table.c.image_sha256).where(table.c.reviewer == reviewer)
    query = (
        sa.select(inferences)
        .join(gold_images, gold_images.c.event_id == inferences.c.event_id)
        .outerjoin(leases, leases.c.image_sha256 == inferences.c.image_sha256)
        .where(sa.or_(leases.c.expires.is_(None), leases.c.expires <= now), inferences.c.image_sha256.not_in(answered))
        .order_by(sa.func.random())
        .limit(count)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
