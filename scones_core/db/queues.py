"""Queries on review queues."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scones_core.db.inferences import CHUNK
from scones_core.db.label_checks import label_checks
from scones_core.db.review_orders import Drawn
from scones_core.db.reviews import free, readable
from scones_core.db.schema import decisions, inferences, leases, review_queue_items, review_queues, reviewed_images
from scones_core.domain.review import Status, Strategy


def add(connection: sa.Connection, values: Mapping[str, Any], items: Iterable[Mapping[str, Any]]) -> int:
    """Insert a queue; returns its id. items : event_id, why, probability, in the order of review."""
    query = sa.insert(review_queues).values(dict(values)).returning(review_queues.c.id)
    id = int(connection.scalar(query) or 0)
    append(connection, id, items)
    return id


def append(connection: sa.Connection, queue: int, items: Iterable[Mapping[str, Any]]) -> None:
    """Add items behind those of a queue, in the order of review."""
    of = review_queue_items.c
    last = connection.scalar(sa.select(sa.func.max(of.position)).where(of.queue == queue)) or 0
    rows = [{"queue": queue, "position": number, **item} for number, item in enumerate(items, start=last + 1)]
    connection.execute(sa.insert(review_queue_items), rows)


def subjects(strategy: str) -> sa.Table:
    """What the items of a queue are: inferences, or label checks."""
    return label_checks if strategy == Strategy.LABEL_ERRORS else inferences


def unknown(connection: sa.Connection, strategy: str, event_ids: Sequence[str]) -> list[str]:
    """Those of the event ids that none of the subjects has."""
    known, id = set[str](), subjects(strategy).c.event_id
    for start in range(0, len(event_ids), CHUNK):
        some = event_ids[start : start + CHUNK]
        known.update(connection.scalars(sa.select(id).where(id.in_(some))))
    return [id for id in event_ids if id not in known]


def get(connection: sa.Connection, id: int) -> dict[str, Any] | None:
    row = connection.execute(sa.select(review_queues).where(review_queues.c.id == id)).mappings().first()
    return dict(row) if row else None


def listed(connection: sa.Connection) -> list[dict[str, Any]]:
    """All queues, newest first."""
    query = sa.select(review_queues).order_by(review_queues.c.id.desc())
    return [dict(row) for row in connection.execute(query).mappings()]


def voters(connection: sa.Connection, ids: Collection[int]) -> dict[int, int]:
    """Queue → reviewers per image, of those of the queues that have several."""
    if not ids:
        return {}
    query = sa.select(review_queues.c.id, review_queues.c.reviewers)
    query = query.where(review_queues.c.id.in_(ids), review_queues.c.reviewers > 1)
    return dict(connection.execute(query).all())


def progress(connection: sa.Connection, queue: Mapping[str, Any]) -> tuple[int, int]:
    """Readable images of a queue, and those of them that are decided."""
    settled = sa.func.max(sa.case((_settled(queue), 1), else_=0)).label("settled")
    image = subjects(queue["strategy"]).c.image_sha256
    query = _items(queue).with_only_columns(settled).where(readable(image))
    images = query.group_by(image).subquery()
    counts = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(images.c.settled), 0))
    size, decided = connection.execute(counts.select_from(images)).one()
    return int(size), int(decided)


def open_items(
    connection: sa.Connection,
    queue: Mapping[str, Any],
    *,
    count: int,
    reviewer: str,
    now: datetime,
    exclude: Sequence[str] = (),
) -> list[Drawn]:
    """Items of a queue whose image this reviewer can decide on, one per image, in the queue's order."""
    table, item = subjects(queue["strategy"]), review_queue_items.c
    image = table.c.image_sha256
    held = sa.select(image).where(table.c.event_id.in_(exclude))
    mine = _votes(queue["id"]).where(decisions.c.reviewer == reviewer).subquery()
    query = (
        _items(queue)
        .outerjoin(leases, leases.c.image_sha256 == image)
        .where(readable(image), free(reviewer, now), image.not_in(held), sa.not_(_settled(queue)))
        .where(image.not_in(sa.select(mine.c.image_sha256)))
        .with_only_columns(table, item.why.label("item_why"), item.probability.label("item_probability"))
        .order_by(item.position)
    )
    chosen: dict[str, Drawn] = {}
    with connection.execute(query, execution_options={"yield_per": 100}) as rows:
        for row in map(dict, rows.mappings()):
            why, probability = row.pop("item_why"), row.pop("item_probability")
            drawn = Drawn(row, Strategy(queue["strategy"]), probability, why, queue["id"])
            chosen.setdefault(row["image_sha256"], drawn)
            if len(chosen) >= count:
                break
    return list(chosen.values())


def item(connection: sa.Connection, queue: int, event_id: str) -> dict[str, Any] | None:
    """An inference's item of a queue: strategy, probability, why; None if it is not in this queue."""
    query = (
        sa.select(review_queues.c.strategy, review_queue_items.c.probability, review_queue_items.c.why)
        .join(review_queues, review_queues.c.id == review_queue_items.c.queue)
        .where(review_queue_items.c.queue == queue, review_queue_items.c.event_id == event_id)
    )
    row = connection.execute(query).mappings().first()
    return dict(row) if row else None


def _items(queue: Mapping[str, Any]) -> sa.Select[Any]:
    """The queue's items with what they are, the current labels and the number of votes in this queue."""
    votes = _votes(queue["id"]).group_by(decisions.c.image_sha256)
    counted = votes.add_columns(sa.func.count(sa.distinct(decisions.c.reviewer)).label("votes")).subquery("counted")
    table = subjects(queue["strategy"])
    image = table.c.image_sha256
    return (
        sa.select(table.c.event_id)
        .select_from(review_queue_items)
        .join(table, table.c.event_id == review_queue_items.c.event_id)
        .outerjoin(reviewed_images, reviewed_images.c.image_sha256 == image)
        .outerjoin(counted, counted.c.image_sha256 == image)
        .where(review_queue_items.c.queue == queue["id"])
    )


def _votes(queue: int) -> sa.Select[Any]:
    """Images with decisions made in a queue and not taken back; one row per decision."""
    undoing = decisions.alias("undoing")
    undone = sa.exists().where(undoing.c.undoes == decisions.c.id)
    query = sa.select(decisions.c.image_sha256).where(decisions.c.queue == queue, decisions.c.action != "undo")
    return query.where(~undone)


def _settled(queue: Mapping[str, Any]) -> sa.ColumnElement[bool]:
    """Whether an image has its decisions: as many as wanted in this queue, or, unless asked again, any label."""
    votes = sa.literal_column("counted.votes", sa.Integer)
    enough: sa.ColumnElement[bool] = sa.func.coalesce(votes, 0) >= queue["reviewers"]
    if queue["again"] or queue["reviewers"] > 1:
        return enough
    unusable = reviewed_images.c.status == str(Status.UNUSABLE)
    return sa.or_(enough, reviewed_images.c.label.is_not(None), sa.func.coalesce(unusable, sa.false()))
