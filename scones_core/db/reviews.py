"""Queries on leases, decisions and the labels in force."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scones_core.db.schema import decisions, inferences, leases, reviewed_images
from scones_core.domain.review import Decision, Strategy

_ORDER: dict[Strategy, Any] = {
    Strategy.LEAST_CONFIDENCE: inferences.c.confidence,
    Strategy.MARGIN: inferences.c.margin,
    Strategy.ENTROPY: inferences.c.entropy.desc(),
    Strategy.RANDOM: inferences.c.event_id,  # random by construction
    Strategy.NEWEST: inferences.c.time.desc(),
}


def open_items(
    connection: sa.Connection,
    *,
    strategy: Strategy,
    count: int,
    reviewer: str,
    now: datetime,
    exclude: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Inferences whose image has no decision and no other reviewer's lease, one per image, in the strategy's order.

    exclude : event ids whose images are to be passed over.
    """
    held = sa.select(inferences.c.image_sha256).where(inferences.c.event_id.in_(exclude))
    query = (
        sa.select(inferences)
        .outerjoin(reviewed_images, reviewed_images.c.image_sha256 == inferences.c.image_sha256)
        .outerjoin(leases, leases.c.image_sha256 == inferences.c.image_sha256)
        .where(reviewed_images.c.image_sha256.is_(None))
        .where(sa.or_(leases.c.expires.is_(None), leases.c.expires <= now, leases.c.reviewer == reviewer))
        .where(inferences.c.image_sha256.not_in(held))
        .order_by(_ORDER[strategy], inferences.c.event_id)
    )
    chosen: dict[str, dict[str, Any]] = {}
    with connection.execute(query, execution_options={"yield_per": 100}) as rows:
        for row in rows.mappings():
            chosen.setdefault(row["image_sha256"], dict(row))
            if len(chosen) >= count:
                break
    return list(chosen.values())


def lease(connection: sa.Connection, images: Sequence[str], reviewer: str, expires: datetime) -> None:
    """Give the images to a reviewer until `expires`."""
    for image in images:
        connection.execute(sa.delete(leases).where(leases.c.image_sha256 == image))
        row = {"image_sha256": image, "reviewer": reviewer, "expires": expires}
        connection.execute(sa.insert(leases), row)


def lease_of(connection: sa.Connection, image: str) -> tuple[str, datetime] | None:
    """(reviewer, expires)."""
    query = sa.select(leases.c.reviewer, leases.c.expires).where(leases.c.image_sha256 == image)
    row = connection.execute(query).first()
    return (row[0], row[1]) if row else None


def release(connection: sa.Connection, image: str) -> None:
    connection.execute(sa.delete(leases).where(leases.c.image_sha256 == image))


def by_idempotency_key(connection: sa.Connection, key: str) -> dict[str, Any] | None:
    row = connection.execute(sa.select(decisions).where(decisions.c.idempotency_key == key)).mappings().first()
    return dict(row) if row else None


def append(connection: sa.Connection, values: dict[str, Any]) -> int:
    """Append a decision and return its id."""
    return int(connection.scalar(sa.insert(decisions).values(values).returning(decisions.c.id)) or 0)


def of_image(connection: sa.Connection, image: str) -> list[Decision]:
    """All decisions on an image, oldest first, with those taken back marked."""
    rows = connection.execute(
        sa.select(decisions).where(decisions.c.image_sha256 == image).order_by(decisions.c.id)
    ).all()
    undone = {row.undoes for row in rows}
    return [
        Decision(row.id, row.event_id, row.label, row.reviewer, row.note, row.time, row.id in undone)
        for row in rows
        if row.action != "undo"
    ]


def last_of_reviewer(connection: sa.Connection, reviewer: str, event_id: str | None) -> dict[str, Any] | None:
    """The reviewer's last decision that stands, on one inference or on any."""
    undoing = decisions.alias("undoing")
    query = (
        sa.select(decisions)
        .outerjoin(undoing, undoing.c.undoes == decisions.c.id)
        .where(decisions.c.reviewer == reviewer, decisions.c.action != "undo", undoing.c.id.is_(None))
        .order_by(decisions.c.id.desc())
        .limit(1)
    )
    if event_id is not None:
        query = query.where(decisions.c.event_id == event_id)
    row = connection.execute(query).mappings().first()
    return dict(row) if row else None


def set_standing(connection: sa.Connection, image: str, values: dict[str, Any] | None) -> None:
    """Replace the label in force of an image; None when no decision stands."""
    connection.execute(sa.delete(reviewed_images).where(reviewed_images.c.image_sha256 == image))
    if values:
        connection.execute(sa.insert(reviewed_images), {**values, "image_sha256": image})


def revision(connection: sa.Connection, image: str) -> int:
    """How often something was decided or taken back on an image."""
    query = sa.select(sa.func.count()).select_from(decisions).where(decisions.c.image_sha256 == image)
    return int(connection.scalar(query) or 0)


def reviewed(connection: sa.Connection, limit: int | None = None) -> list[dict[str, Any]]:
    """The labels in force with the inferences they are about, newest first."""
    columns = [c for c in reviewed_images.c if c.name != "event_id"]
    query = (
        sa.select(*columns, inferences)
        .join(inferences, inferences.c.event_id == reviewed_images.c.event_id)
        .order_by(reviewed_images.c.time.desc())
        .limit(limit)
    )
    picked = [*[c.label(f"review_{c.name}") for c in columns], *inferences.c]
    return [dict(row) for row in connection.execute(query.with_only_columns(*picked)).mappings()]


def counts(connection: sa.Connection) -> dict[str, int]:
    """Status → images."""
    query = sa.select(reviewed_images.c.status, sa.func.count()).group_by(reviewed_images.c.status)
    return dict(connection.execute(query).all())


def pending_count(connection: sa.Connection, threshold: float) -> int:
    """Distinct images that were low-confidence at `threshold` and have no decision."""
    image = inferences.c.image_sha256
    reviewed = sa.exists().where(reviewed_images.c.image_sha256 == image)
    # Grouped, for SQLite then walks along the index of both columns; count(distinct …) takes sixteen times as long.
    pending = sa.select(image).where(inferences.c.confidence <= threshold, ~reviewed).group_by(image).subquery()
    return int(connection.scalar(sa.select(sa.func.count()).select_from(pending)) or 0)
