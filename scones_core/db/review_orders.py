"""Queries on what to review next: captured inferences in an order, one per image."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scones_core.db.inferences import CHUNK, class_lists, made_by
from scones_core.db.reviews import free, readable
from scones_core.db.schema import inferences, leases, reviewed_images
from scones_core.domain.review import ALL, ReviewFilter, Strategy


@dataclass(frozen=True)
class Drawn:
    """An inference to review, and its probability in the draw; 1 for a ranking, None in a queue that was not drawn.

    why : the reason shown to the reviewer.  queue : id of its review queue, if any.
    """

    row: dict[str, Any]
    strategy: Strategy
    probability: float | None
    why: str = ""
    queue: int | None = None
    like: "Drawn | None" = None  # what a gold image is shown as

    @property
    def lease(self) -> dict[str, Any]:
        """What the lease keeps for the decision."""
        return {"strategy": str(self.strategy), "probability": self.probability, "queue": self.queue}


_ORDER: dict[Strategy, Any] = {
    Strategy.LEAST_CONFIDENCE: inferences.c.confidence,
    Strategy.MARGIN: inferences.c.margin,
    Strategy.ENTROPY: inferences.c.entropy.desc(),
    Strategy.NEWEST: inferences.c.time.desc(),
    Strategy.OLDEST: inferences.c.time,
}
_BY_MODEL = (Strategy.LEAST_CONFIDENCE, Strategy.MARGIN, Strategy.ENTROPY)  # orders by what a model says


def open_items(
    connection: sa.Connection,
    *,
    strategy: Strategy,
    count: int,
    reviewer: str | None,
    now: datetime,
    exclude: Sequence[str] = (),
    filter: ReviewFilter = ALL,
    serving: int | None = None,
) -> list[Drawn]:
    """Inferences whose image has no decision and no other reviewer's lease, one per image, in the strategy's order.

    The orders by confidence, margin and entropy use what the model version `serving` says of an image; images that it
    has not classified come after the others, by their newest inference.
    reviewer : None to disregard leases.  exclude : event ids whose images to skip.
    """
    open_ones = _open(connection, reviewer, now, exclude, filter)
    if strategy is Strategy.RANDOM:
        return _at_random(connection, open_ones, count, serving)
    order = (_ORDER[strategy], inferences.c.event_id)
    parts = [open_ones]
    if strategy in _BY_MODEL and serving is not None and filter.model is None:
        parts = [open_ones.where(inferences.c.model == serving), open_ones.where(~_seen_by(serving), _is_newest())]
    chosen: dict[str, dict[str, Any]] = {}
    keys = (inferences.c.image_sha256, inferences.c.event_id)  # without an index, whole rows take long to sort
    for part in parts:
        if len(chosen) < count:
            take(connection, part.with_only_columns(*keys).order_by(*order), chosen, count)
    rows = _by_id(connection, [row["event_id"] for row in chosen.values()])
    return [Drawn(rows[row["event_id"]], strategy, 1.0) for row in chosen.values()]


def _by_id(connection: sa.Connection, event_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(event_ids), CHUNK):
        query = sa.select(inferences).where(inferences.c.event_id.in_(event_ids[start : start + CHUNK]))
        found |= {row["event_id"]: dict(row) for row in connection.execute(query).mappings()}
    return found


def take(connection: sa.Connection, query: sa.Select[Any], chosen: dict[str, dict[str, Any]], count: int) -> None:
    """Add rows of images not chosen yet, up to `count` images."""
    with connection.execute(query, execution_options={"yield_per": 100}) as rows:
        for row in rows.mappings():
            chosen.setdefault(row["image_sha256"], dict(row))
            if len(chosen) >= count:
                return


def _open(
    connection: sa.Connection, reviewer: str | None, now: datetime, exclude: Sequence[str], filter: ReviewFilter
) -> sa.Select[Any]:
    held = sa.select(inferences.c.image_sha256).where(inferences.c.event_id.in_(exclude))
    query = (
        sa.select(inferences.c.image_sha256)
        .select_from(inferences)
        .outerjoin(reviewed_images, reviewed_images.c.image_sha256 == inferences.c.image_sha256)
        .where(reviewed_images.c.image_sha256.is_(None), readable(inferences.c.image_sha256))
        .where(inferences.c.image_sha256.not_in(held), *conditions(connection, filter))
    )
    if reviewer is None:
        return query
    return query.outerjoin(leases, leases.c.image_sha256 == inferences.c.image_sha256).where(free(reviewer, now))


def conditions(connection: sa.Connection, filter: ReviewFilter) -> list[sa.ColumnElement[bool]]:
    """The conditions on inferences that a filter stands for."""
    table = inferences.c
    found = [made_by(filter.model)] if filter.model is not None else []
    if filter.predicted is not None:
        found.append(predicts(connection, lambda name: name == filter.predicted))
    bounds = {
        table.confidence: (filter.low, filter.high),
        table.time: (filter.since, filter.until),
    }
    for column, (low, high) in bounds.items():
        found += [column >= low] if low is not None else []
        found += [column <= high] if high is not None else []
    return found


def predicts(
    connection: sa.Connection, is_wanted: Callable[[str], bool], table: sa.Table = inferences
) -> sa.ColumnElement[bool]:
    """The condition for inferences whose predicted class has a wanted name."""
    pairs = [
        sa.and_(table.c.class_list == id, table.c.prediction == index)
        for id, names in class_lists(connection).items()
        for index, name in enumerate(names)
        if is_wanted(name)
    ]
    return sa.or_(sa.false(), *pairs)


def _seen_by(serving: int) -> sa.ColumnElement[bool]:
    other = inferences.alias("seen")
    return sa.exists().where(other.c.image_sha256 == inferences.c.image_sha256, other.c.model == serving)


def _is_newest() -> sa.ColumnElement[bool]:
    """Whether no later inference is of the same image."""
    later = inferences.alias("later")
    same_time = sa.and_(later.c.time == inferences.c.time, later.c.event_id > inferences.c.event_id)
    after = sa.or_(later.c.time > inferences.c.time, same_time)
    return ~sa.exists().where(later.c.image_sha256 == inferences.c.image_sha256, after)


def _at_random(connection: sa.Connection, open_ones: sa.Select[Any], count: int, serving: int | None) -> list[Drawn]:
    """Images drawn with equal probability, without replacement; of each the newest inference, best of `serving`."""
    images = open_ones.distinct().subquery()
    of = int(connection.scalar(sa.select(sa.func.count()).select_from(images)) or 0)
    drawn = connection.scalars(sa.select(images.c.image_sha256).order_by(sa.func.random()).limit(count)).all()
    table = inferences.c
    by_serving = sa.case((table.model == serving, 1), else_=0) if serving is not None else sa.literal(0)
    query = sa.select(inferences).where(table.image_sha256.in_(drawn))
    best = query.order_by(by_serving, table.time, table.event_id)
    rows: Mapping[str, Any] = {row["image_sha256"]: dict(row) for row in connection.execute(best).mappings()}
    return [Drawn(rows[image], Strategy.RANDOM, min(1.0, len(drawn) / of)) for image in drawn]


def disagreements(connection: sa.Connection, champion: int, challenger: int, count: int) -> list[dict[str, Any]]:
    """The champion's inferences of images without a decision for which the challenger predicts another class.

    The most confident contradiction first: keys of the inference, and `other_prediction`, `other_confidence`.
    Both models must have the same class names, or inferences are not compared.
    """
    other = inferences.alias("other")
    mine = inferences.c
    query = (
        sa.select(
            inferences,
            other.c.prediction.label("other_prediction"),
            other.c.confidence.label("other_confidence"),
        )
        .join(other, sa.and_(other.c.image_sha256 == mine.image_sha256, other.c.class_list == mine.class_list))
        .outerjoin(reviewed_images, reviewed_images.c.image_sha256 == mine.image_sha256)
        .where(reviewed_images.c.image_sha256.is_(None), readable(mine.image_sha256))
        .where(mine.model == champion, other.c.model == challenger, mine.prediction != other.c.prediction)
        .order_by((mine.confidence + other.c.confidence).desc(), mine.event_id)
    )
    chosen: dict[str, dict[str, Any]] = {}
    take(connection, query, chosen, count)
    return list(chosen.values())
