"""Review: leases, decisions, undo."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from scones_core import logs
from scones_core.db import inferences as inferences_table
from scones_core.db import queues as queue_table
from scones_core.db import reviews as table
from scones_core.domain.review import (
    LEASE,
    ORDERS,
    OTHER,
    Decision,
    Status,
    Strategy,
    in_words,
    label_of,
    standing,
    status_of,
)
from scones_core.errors import BadInput, Conflict
from scones_core.services import capture, monitoring, queues
from scones_core.services.app import App
from scones_core.services.classification import class_name
from scones_core.services.review_items import ClassNames, Item, made_by, make_item
from scones_core.services.unreadable import set_aside


@dataclass(frozen=True)
class Recorded:
    """The current decision; `revision` counts all decisions on the image."""

    id: str
    label: str | None
    revision: int
    status: Status


def next_items(
    app: App,
    reviewer: str,
    *,
    strategy: Strategy = Strategy.LEAST_CONFIDENCE,
    count: int = 1,
    exclude: Sequence[str] = (),
    model: str | None = None,
    queue: int | None = None,
) -> list[Item]:
    """Lease the next readable images to a reviewer for ten minutes, one inference per image.

    model : only inferences of this model version ("v3"), or of one kind ("imported", "undecided", "unknown").
    queue : only items of this review queue, in its order; strategy and model then do not matter.
    Raises BadInput (a strategy that needs a queue), NotFound (no such queue).
    """
    if queue is None and strategy not in ORDERS:
        raise BadInput(f"The order “{strategy}” needs a queue: name one with --queue.")
    _check_reviewer(reviewer)
    names, now = ClassNames(app), datetime.now(UTC)
    expires = now + LEASE
    while True:
        with app.db.write() as connection:
            if queue is not None:
                of = queues.row(connection, queue)
                found = queue_table.open_items(connection, of, count=count, reviewer=reviewer, now=now, exclude=exclude)
            else:
                found = table.open_items(
                    connection, strategy=strategy, count=count, reviewer=reviewer, now=now, exclude=exclude, model=model
                )
            for drawn in found:
                table.lease(connection, drawn.row["image_sha256"], reviewer, expires, **drawn.lease)
        if not set_aside(app, [drawn.row for drawn in found]):
            return [make_item(drawn.row, names, expires, why=drawn.why, **drawn.lease) for drawn in found]


@logs.use_case
def decide(
    app: App,
    id: str,
    label: str | None,
    reviewer: str,
    *,
    note: str = "",
    key: str | None = None,
    queue: int | None = None,
) -> Recorded:
    """Record a reviewer's label for the image of a captured inference; None skips the image.

    label : a class name of the model that made the inference; "other" for none of these, "skip" for no label.
    key : idempotency key; reusing it records nothing.
    queue : the review queue it was shown in; by default that of the reviewer's lease, which may have ended.
    Raises BadInput, NotFound (no such inference, or its image is missing), Conflict (leased to another reviewer).
    """
    _check_reviewer(reviewer)
    row, names = capture.inference(app, id), ClassNames(app)
    label = _checked_label(label, names.choices(row))
    # Copy first, as the decision refers to the copy: captures expire.
    stored = capture.stored_image(app, id) if label is not None else None
    with app.db.write() as connection:
        if key is None or table.by_idempotency_key(connection, key) is None:
            lease = _check_lease(connection, row["image_sha256"], reviewer)
            values = _decision_row(row, label, reviewer, note, key)
            values |= {"model": row["model"], "classes": list(names.choices(row)), "stored_key": stored}
            values |= _draw(connection, row["event_id"], queue, lease)
            table.append(connection, values)
            table.release(connection, row["image_sha256"])
        return _fold(connection, row, names)


def _checked_label(label: str | None, classes: Sequence[str]) -> str | None:
    if label is None:
        return None
    try:
        return label_of(label, classes)
    except ValueError:
        choices = ", ".join((*classes, in_words(OTHER, classes) or ""))
        raise BadInput(f"“{label}” is not a valid label: choose {choices}.") from None


@logs.use_case
def undo(app: App, reviewer: str, *, id: str | None = None, key: str | None = None) -> Recorded:
    """Take back the reviewer's last decision (on one inference, or on any). Raises Conflict if there is none.

    key : idempotency key; reusing it takes nothing back.
    """
    _check_reviewer(reviewer)
    names = ClassNames(app)
    with app.db.write() as connection:
        if key and (done := table.by_idempotency_key(connection, key)):
            return _fold(connection, _row(connection, done["event_id"]), names)
        last = table.last_of_reviewer(connection, reviewer, id)
        if last is None:
            raise Conflict(f"{reviewer} has no decision to take back{' on this image' if id else ''}.")
        row = _row(connection, last["event_id"])
        values = {**_decision_row(row, None, reviewer, "", key), "action": "undo", "undoes": last["id"]}
        table.append(connection, values)
        draw = {name: last[name] for name in ("strategy", "probability", "queue")}
        table.lease(connection, row["image_sha256"], reviewer, datetime.now(UTC) + LEASE, **draw)
        return _fold(connection, row, names)


def _row(connection: sa.Connection, event_id: str) -> dict[str, Any]:
    row = inferences_table.get(connection, event_id)
    assert row is not None  # a decision refers to it, and inferences are never removed
    return row


def item(app: App, id: str) -> Item:
    """One captured inference for review, without a lease."""
    return make_item(capture.inference(app, id), ClassNames(app), datetime.now(UTC))


def _check_reviewer(reviewer: str) -> None:
    if not reviewer.strip():
        raise BadInput("The reviewer's name is missing: enter a name.")


def _check_lease(connection: sa.Connection, image: str, reviewer: str) -> table.Lease | None:
    """The reviewer's own lease, if any. Raises Conflict if the image is leased to another reviewer."""
    held, now = table.lease_of(connection, image), datetime.now(UTC)
    if held and held.reviewer != reviewer and now < held.expires <= now + LEASE:  # longer: a clock was ahead
        raise Conflict(f"{held.reviewer} is reviewing this image until {held.expires:%H:%M} UTC: take the next one.")
    return held if held and held.reviewer == reviewer else None


def _draw(connection: sa.Connection, id: str, queue: int | None, lease: table.Lease | None) -> dict[str, Any]:
    """Strategy, probability and queue of the draw that a decision rests on."""
    if queue is not None and (item := queue_table.item(connection, queue, id)):
        return {"strategy": item["strategy"], "probability": item["probability"], "queue": queue}
    return {} if lease is None else {n: getattr(lease, n) for n in ("strategy", "probability", "queue")}


def _decision_row(row: dict[str, Any], label: str | None, reviewer: str, note: str, key: str | None) -> dict[str, Any]:
    return {
        "event_id": row["event_id"],
        "image_sha256": row["image_sha256"],
        "action": "skip" if label is None else "label",
        "label": label,
        "reviewer": reviewer,
        "note": note,
        "idempotency_key": key or uuid.uuid4().hex,
        "time": datetime.now(UTC),
    }


def _fold(connection: sa.Connection, row: dict[str, Any], names: ClassNames) -> Recorded:
    """Update the current label from the decisions, and return it."""
    image, known = row["image_sha256"], names.known(row)
    decision = standing(table.of_image(connection, image))
    status = status_of(decision, class_name(known, row["prediction"]) if known else None)
    table.set_standing(connection, image, _standing_row(decision, status) if decision else None)
    label = in_words(decision.label, names.choices(row)) if decision else None
    return Recorded(row["event_id"], label, table.revision(connection, image), status)


def _standing_row(decision: Decision, status: Status) -> dict[str, Any]:
    return {
        "event_id": decision.event_id,
        "decision": decision.id,
        "label": decision.label,
        "status": str(status),
        "reviewer": decision.reviewer,
        "time": decision.time,
    }


def reviewed(app: App, *, limit: int | None = None, model: str | None = None) -> list[dict[str, Any]]:
    """The current decisions, newest first.

    id, image (key), capture_key, image_sha256, image_key, stored_key, model, prediction, confidence, label (class name,
    OTHER or None), label_text (as shown), classes (the choices), status, reviewer, time, and the draw: strategy,
    probability, queue.
    model : only inferences of this model version.
    """
    names = ClassNames(app)
    with app.db.read() as connection:
        rows = table.reviewed(connection, limit, model=model)
    return [_reviewed(row, names) for row in rows]


def _reviewed(row: Mapping[str, Any], names: ClassNames) -> dict[str, Any]:
    classes = row["review_classes"] or list(names.choices(row))
    return {
        "id": row["event_id"],
        "image": row["image_key"] or row["capture_key"],
        "image_key": row["image_key"],
        "capture_key": row["capture_key"],
        "image_sha256": row["image_sha256"],
        "stored_key": row["stored_key"],
        "copy_of": row["review_copy_of"],
        "model": made_by(row),
        "prediction": class_name(names.known(row), row["prediction"]),
        "confidence": row["confidence"],
        "label": row["review_label"],
        "label_text": in_words(row["review_label"], classes),
        "classes": classes,
        "status": row["review_status"],
        "reviewer": row["review_reviewer"],
        "time": row["review_time"],
        "strategy": row["review_strategy"],
        "probability": row["review_probability"],
        "queue": row["review_queue"],
    }


@dataclass(frozen=True)
class QueueFigures:
    """pending: low-confidence images without a decision; the others: images by current decision."""

    pending: int
    confirmed: int
    relabelled: int
    skipped: int
    labelled: int = 0  # without the model's class names, a prediction is neither right nor wrong

    @property
    def labels(self) -> int:
        """Images with a label."""
        return self.confirmed + self.relabelled + self.labelled


def queue(app: App) -> QueueFigures:
    threshold = monitoring.threshold(app)
    with app.db.read() as connection:
        counts = table.counts(connection)
        pending = int(connection.scalar(table.pending(threshold)) or 0)
    return queue_figures(pending, counts)


def queue_figures(pending: int, counts: Mapping[str, int]) -> QueueFigures:
    """counts : status → images."""
    statuses = (Status.CONFIRMED, Status.RELABELLED, Status.SKIPPED, Status.LABELLED)
    return QueueFigures(pending, *(counts.get(status, 0) for status in statuses))
