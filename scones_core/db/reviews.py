"""Queries on leases, decisions and current labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scones_core.db.inferences import made_by
from scones_core.db.label_checks import SUBJECTS
from scones_core.db.schema import dataset_images, decisions, inferences, leases, reviewed_images, unreadable_images
from scones_core.domain.datasets import TEST, TRAFFIC, TRAIN
from scones_core.domain.drift import SimulatedDrift
from scones_core.domain.review import LEASE, SKEW, Decision


@dataclass(frozen=True)
class Lease:
    """strategy, probability, queue : of the draw; None if the image was requested by id."""

    reviewer: str
    expires: datetime
    strategy: str | None
    probability: float | None
    queue: int | None


def readable(image: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The condition for images that can be decoded, as far as known."""
    return ~sa.exists().where(unreadable_images.c.image_sha256 == image)


def set_unreadable(connection: sa.Connection, reasons: Mapping[str, str]) -> None:
    """Exclude these images from review. reasons : by the image's SHA-256."""
    for image, reason in reasons.items():
        connection.execute(sa.delete(unreadable_images).where(unreadable_images.c.image_sha256 == image))
        connection.execute(sa.insert(unreadable_images), {"image_sha256": image, "reason": reason})
        release(connection, image)


def unreadable(connection: sa.Connection) -> Sequence[Any]:
    """Rows capture_key, capture_line, reason: one per captured image that cannot be decoded."""
    table = inferences.c
    which = table.image_sha256.in_(sa.select(unreadable_images.c.image_sha256))
    first = sa.select(table.image_sha256, sa.func.min(table.event_id).label("event_id")).where(which)
    ids = first.group_by(table.image_sha256).subquery()
    return (
        connection.execute(
            sa.select(table.capture_key, table.capture_line, unreadable_images.c.reason)
            .join(ids, ids.c.event_id == table.event_id)
            .join(unreadable_images, unreadable_images.c.image_sha256 == ids.c.image_sha256)
            .order_by(table.capture_key, table.capture_line)
        )
        .mappings()
        .all()
    )


def free(reviewer: str, now: datetime) -> sa.ColumnElement[bool]:
    """The condition for images, joined with `leases`, that no other reviewer holds."""
    return sa.or_(leases.c.expires.is_(None), leases.c.reviewer == reviewer, sa.not_(_in_force(now)))


def _in_force(now: datetime) -> sa.ColumnElement[bool]:
    """Filter for leases that end later than a new one would: they came from a clock that was ahead."""
    return sa.and_(leases.c.expires > now, leases.c.expires <= now + LEASE + SKEW)


def lease(
    connection: sa.Connection,
    image: str,
    reviewer: str,
    expires: datetime,
    *,
    strategy: str | None = None,
    probability: float | None = None,
    queue: int | None = None,
) -> None:
    """Lease an image to a reviewer until `expires`; strategy, probability and queue are kept for the decision."""
    connection.execute(sa.delete(leases).where(leases.c.image_sha256 == image))
    row = {"image_sha256": image, "reviewer": reviewer, "expires": expires}
    connection.execute(sa.insert(leases), {**row, "strategy": strategy, "probability": probability, "queue": queue})


def lease_of(connection: sa.Connection, image: str) -> Lease | None:
    """The last lease of an image, possibly expired."""
    query = sa.select(leases.c.reviewer, leases.c.expires, leases.c.strategy, leases.c.probability, leases.c.queue)
    row = connection.execute(query.where(leases.c.image_sha256 == image)).first()
    return Lease(*row) if row else None


def held_by_others(connection: sa.Connection, reviewer: str, now: datetime, queue: int | None = None) -> list[Lease]:
    """Leases in force of other reviewers, in the order of their end; made in one queue, or outside of any."""
    query = sa.select(leases.c.reviewer, leases.c.expires, leases.c.strategy, leases.c.probability, leases.c.queue)
    query = query.where(_in_force(now), leases.c.reviewer != reviewer)
    if queue is not None:
        query = query.where(leases.c.queue == queue)
    return [Lease(*row) for row in connection.execute(query.order_by(leases.c.expires))]


def release(connection: sa.Connection, image: str) -> None:
    connection.execute(sa.delete(leases).where(leases.c.image_sha256 == image))


def by_idempotency_key(connection: sa.Connection, key: str) -> dict[str, Any] | None:
    row = connection.execute(sa.select(decisions).where(decisions.c.idempotency_key == key)).mappings().first()
    return dict(row) if row else None


def append(connection: sa.Connection, values: dict[str, Any]) -> int:
    """Append a decision and return its id."""
    return int(connection.scalar(sa.insert(decisions).values(values).returning(decisions.c.id)) or 0)


def entries(connection: sa.Connection, image: str) -> list[dict[str, Any]]:
    """All decisions and undos on an image, oldest first."""
    query = sa.select(decisions).where(decisions.c.image_sha256 == image).order_by(decisions.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def of_image(connection: sa.Connection, image: str) -> list[Decision]:
    """All decisions on an image, oldest first, with those taken back marked."""
    rows = connection.execute(
        sa.select(decisions).where(decisions.c.image_sha256 == image).order_by(decisions.c.id)
    ).all()
    undone = {row.undoes for row in rows}
    return [
        Decision(
            row.id, row.event_id, row.label, row.reviewer, row.note, row.time, row.id in undone, row.strategy, row.queue
        )
        for row in rows
        if row.action != "undo"
    ]


def last_of_reviewer(connection: sa.Connection, reviewer: str, event_id: str | None) -> dict[str, Any] | None:
    """The reviewer's last valid decision, on one inference or on any."""
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
    """Replace the current label of an image; None removes it."""
    connection.execute(sa.delete(reviewed_images).where(reviewed_images.c.image_sha256 == image))
    if values:
        connection.execute(sa.insert(reviewed_images), {**values, "image_sha256": image})


def revision(connection: sa.Connection, image: str) -> int:
    """Number of decisions and undos on an image."""
    query = sa.select(sa.func.count()).select_from(decisions).where(decisions.c.image_sha256 == image)
    return int(connection.scalar(query) or 0)


def reviewed(connection: sa.Connection, limit: int | None = None, *, model: str | None = None) -> list[dict[str, Any]]:
    """Current labels with their inferences or label checks, newest first; the labels' columns start with review_."""
    labels = [c.label(f"review_{c.name}") for c in reviewed_images.c if c.name != "event_id"]
    named = ("classes", "strategy", "probability", "queue", "note")
    why = [decisions.c[name].label(f"review_{name}") for name in named]
    found: list[dict[str, Any]] = []
    for table in SUBJECTS:
        query = (
            sa.select(*labels, decisions.c.stored_key, *why, table)
            .join(table, table.c.event_id == reviewed_images.c.event_id)
            .join(decisions, decisions.c.id == reviewed_images.c.decision)
            .where(made_by(model, table=table))
            .order_by(reviewed_images.c.time.desc())
            .limit(limit)
        )
        found += map(dict, connection.execute(query).mappings())
    return sorted(found, key=lambda row: row["review_time"], reverse=True)[:limit]


def decision_times(connection: sa.Connection, limit: int) -> list[tuple[str, datetime]]:
    """(reviewer, time) of the newest labels and skips."""
    query = sa.select(decisions.c.reviewer, decisions.c.time).where(decisions.c.action != "undo")
    return [tuple(row) for row in connection.execute(query.order_by(decisions.c.id.desc()).limit(limit))]


def labels(connection: sa.Connection, images: Sequence[str]) -> dict[str, str]:
    """SHA-256 → current label, of these images that have one."""
    table = reviewed_images.c
    query = sa.select(table.image_sha256, table.label).where(table.image_sha256.in_(images), table.label.is_not(None))
    return dict(connection.execute(query).all())


def set_copies(connection: sa.Connection, copies: Mapping[str, str]) -> None:
    """Record reviewed images that are copies of test images: SHA-256 → key of the test image."""
    for sha256, key in copies.items():
        query = sa.update(reviewed_images).where(reviewed_images.c.image_sha256 == sha256)
        connection.execute(query.values(copy_of=key))


def trainable(dataset: str, classes: Sequence[str]) -> sa.Select[Any]:
    """Number of current labels of these classes that a dataset version does not contain yet.

    Test images and known copies of them are never trained on.
    """
    index = sa.case({name: number for number, name in enumerate(classes)}, value=reviewed_images.c.label)
    image, made_from = dataset_images.c, _made_from()
    same = image.sha256 == reviewed_images.c.image_sha256
    used = sa.and_(same, sa.or_(image.split == TEST, sa.and_(image.split == TRAIN, image.class_index == index)))
    origins = (reviewed_images.c.copy_of, made_from, sa.literal(f"{TEST}/") + made_from)
    copies = sa.and_(image.split == TEST, sa.or_(*(image.key == origin for origin in origins)))
    known = sa.exists().where(image.dataset == dataset, sa.or_(used, copies))
    return (
        sa.select(sa.func.count())
        .select_from(reviewed_images)
        .outerjoin(inferences, inferences.c.event_id == reviewed_images.c.event_id)
        .where(reviewed_images.c.label.in_(classes), ~known)
    )


def _made_from() -> sa.ColumnElement[str | None]:
    """`domain.datasets.made_from` of the inference's image, in SQL."""
    key = inferences.c.image_key
    folders = [f"{TRAFFIC}{drift}/" for drift in SimulatedDrift]
    return sa.case(*((key.startswith(folder), sa.func.substr(key, len(folder) + 1)) for folder in folders))


def by_status() -> sa.Select[Any]:
    """Rows (status, images)."""
    return sa.select(reviewed_images.c.status, sa.func.count()).group_by(reviewed_images.c.status)


def counts(connection: sa.Connection) -> dict[str, int]:
    """Status → images."""
    return dict(connection.execute(by_status()).all())


def pending(threshold: float) -> sa.Select[Any]:
    """Counts the distinct images that were low-confidence at `threshold` and have no decision."""
    image = inferences.c.image_sha256
    reviewed = sa.exists().where(reviewed_images.c.image_sha256 == image)
    # Grouped, for SQLite then walks along the index of both columns; count(distinct …) takes sixteen times as long.
    waits = (inferences.c.confidence <= threshold, ~reviewed, readable(image))
    images = sa.select(image).where(*waits).group_by(image).subquery()
    return sa.select(sa.func.count()).select_from(images)
