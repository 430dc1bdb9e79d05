"""Review: leases, decisions, undo."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from scones_core import logs
from scones_core.db import class_proposals, label_checks, review_orders
from scones_core.db import queues as queue_table
from scones_core.db import reviews as table
from scones_core.domain.review import (
    LEASE,
    ORDERS,
    SKEW,
    ReviewFilter,
    Strategy,
    in_words,
    is_label,
)
from scones_core.errors import BadInput, Conflict
from scones_core.services import capture, gold, queues
from scones_core.services.app import App
from scones_core.services.classification import class_name
from scones_core.services.review_items import ClassNames, Item, checked_label, made_by, make_item, reason
from scones_core.services.standing_labels import Recorded, check_revision, fold
from scones_core.services.unreadable import set_aside


def next_items(
    app: App,
    reviewer: str,
    *,
    strategy: Strategy = Strategy.LEAST_CONFIDENCE,
    count: int = 1,
    exclude: Sequence[str] = (),
    model: str | None = None,
    predicted: str | None = None,
    queue: int | None = None,
) -> list[Item]:
    """Lease the next readable images to a reviewer for ten minutes, one inference per image.

    The orders by confidence, margin and entropy use what the model in service says of an image; images that only other
    models have classified come last.
    model : only inferences of this model version ("v3"), or of one kind ("imported", "undecided", "unknown").
    predicted : only inferences that predict this class.
    queue : only items of this review queue, in its order; strategy, model and predicted then do not matter.
    Raises BadInput (a strategy that needs a queue), NotFound (no such queue).
    """
    if queue is None and strategy not in ORDERS:
        raise BadInput(f"The order “{strategy}” needs a queue: name one with --queue.")
    check_reviewer(reviewer)
    names, gold_share = ClassNames(app), gold.rate(app)
    while True:
        with app.db.write() as connection:
            now = datetime.now(UTC)  # not before: the wait for the lock can be long, and others lease meanwhile
            expires = now + LEASE
            if queue is not None:
                of = queues.row(connection, queue)
                found = queue_table.open_items(connection, of, count=count, reviewer=reviewer, now=now, exclude=exclude)
            else:
                found = review_orders.open_items(
                    connection,
                    strategy=strategy,
                    count=count,
                    reviewer=reviewer,
                    now=now,
                    exclude=exclude,
                    filter=ReviewFilter(model=model, predicted=predicted),
                    serving=names.serving,
                )
            found = gold.planted(connection, found, reviewer, gold_share) if gold_share else found
            for drawn in found:
                table.lease(connection, drawn.row["image_sha256"], reviewer, expires, **drawn.lease)
            revisions = [table.revision(connection, drawn.row["image_sha256"]) for drawn in found]
        if not set_aside(app, [drawn.row for drawn in found]):
            return [_drawn_item(*one, names, expires) for one in zip(found, revisions, strict=True)]


def _drawn_item(drawn: review_orders.Drawn, revision: int, names: ClassNames, expires: datetime) -> Item:
    why = drawn.why or reason(drawn.row, drawn.strategy, drawn.probability, names.serving)
    shown = (drawn.like or drawn).lease
    return make_item(drawn.row, names, expires, why=why, revision=revision, **shown)


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
    revision: int | None = None,
    proposed: str | None = None,
) -> Recorded:
    """Record a reviewer's label for the image of a captured inference; None skips the image.

    label : a class name of the model that made the inference, or an accepted new class; "other" for none of these,
    "unusable" for a picture that shows nothing, "unsure" for an adjudicator, "skip" for no label.
    key : idempotency key; reusing it records nothing.
    revision : decisions on the image that the reviewer knew of; if others have decided since, nothing is recorded.
    queue : the review queue it was shown in; by default that of the reviewer's lease, which may have ended.
    proposed : name of a class to propose for this image; `class_proposals.propose` checks it.
    Raises BadInput, NotFound (no such inference, or its image is missing), Conflict (leased to another reviewer, or
    decided by another one since `revision`).
    """
    check_reviewer(reviewer)
    row, names = capture.inference(app, id), ClassNames(app)
    answer = NewDecision(id, checked_label(label, names.choices(row)), note, revision)
    # Copy first, as the decision refers to the copy: captures expire.
    stored = capture.stored_image(app, id) if is_label(answer.label) else None
    with app.db.write() as connection:
        if key is None or table.by_idempotency_key(connection, key) is None:
            decision = record(connection, row, names, answer, reviewer, key=key, queue=queue, stored=stored)
            if proposed is not None:
                class_proposals.add(connection, proposed, decision)
        return fold(connection, row, names, by=reviewer)


@dataclass(frozen=True)
class NewDecision:
    """A decision to record.  label, revision : as `decide` takes them."""

    id: str
    label: str | None
    note: str = ""
    revision: int | None = None


def record(
    connection: sa.Connection,
    row: Mapping[str, Any],
    names: ClassNames,
    answer: NewDecision,
    reviewer: str,
    *,
    key: str | None,
    queue: int | None,
    stored: str | None,
) -> int:
    """Append a decision on an inference, with a parsed label; returns its id. Raises Conflict as `decide`."""
    lease = _check_lease(connection, row["image_sha256"], reviewer)
    is_gold = lease is not None and lease.strategy == Strategy.GOLD
    if answer.revision is not None and not is_gold and not _votes(connection, queue):
        check_revision(connection, row["image_sha256"], reviewer, answer.revision)
    values = _decision_row(row, answer.label, reviewer, answer.note, key)
    values |= {"model": row["model"], "classes": list(names.choices(row)), "stored_key": stored}
    values |= _draw(connection, row["event_id"], queue, lease)
    decision = table.append(connection, values)
    table.release(connection, row["image_sha256"])
    return decision


@logs.use_case
def undo(app: App, reviewer: str, *, id: str | None = None, key: str | None = None) -> Recorded:
    """Take back the reviewer's last decision (on one inference, or on any). Raises Conflict if there is none.

    key : idempotency key; reusing it takes nothing back.
    """
    check_reviewer(reviewer)
    names = ClassNames(app)
    with app.db.write() as connection:
        if key and (done := table.by_idempotency_key(connection, key)):
            return fold(connection, _row(connection, done["event_id"]), names)
        last = table.last_of_reviewer(connection, reviewer, id)
        if last is None:
            raise Conflict(f"{reviewer} has no decision to take back{' on this image' if id else ''}.")
        row = _row(connection, last["event_id"])
        values = {**_decision_row(row, None, reviewer, "", key), "action": "undo", "undoes": last["id"]}
        table.append(connection, values)
        if _held_by_another(table.lease_of(connection, row["image_sha256"]), reviewer) is None:
            draw = {name: last[name] for name in ("strategy", "probability", "queue")}
            table.lease(connection, row["image_sha256"], reviewer, datetime.now(UTC) + LEASE, **draw)
        return fold(connection, row, names)


def _row(connection: sa.Connection, event_id: str) -> dict[str, Any]:
    row = label_checks.subject(connection, event_id)
    assert row is not None  # a decision refers to it, and inferences are never removed
    return row


def item(app: App, id: str) -> Item:
    """One captured inference for review, without a lease."""
    row = capture.inference(app, id)
    with app.db.read() as connection:
        revision = table.revision(connection, row["image_sha256"])
    return make_item(row, ClassNames(app), datetime.now(UTC), revision=revision)


def check_reviewer(reviewer: str) -> None:
    """Raises BadInput without a name."""
    if not reviewer.strip():
        raise BadInput("The reviewer's name is missing: enter a name.")


def _check_lease(connection: sa.Connection, image: str, reviewer: str) -> table.Lease | None:
    """The reviewer's own lease, if any. Raises Conflict if the image is leased to another reviewer."""
    held = table.lease_of(connection, image)
    if other := _held_by_another(held, reviewer):
        raise Conflict(f"{other.reviewer} is reviewing this image until {other.expires:%H:%M} UTC: take the next one.")
    return held if held and held.reviewer == reviewer else None


def _held_by_another(held: table.Lease | None, reviewer: str) -> table.Lease | None:
    now = datetime.now(UTC)
    in_force = held and now < held.expires <= now + LEASE + SKEW  # longer: a clock was ahead
    return held if held and in_force and held.reviewer != reviewer else None


def _votes(connection: sa.Connection, queue: int | None) -> bool:
    """Whether several reviewers decide on each image of the queue, without regard to each other."""
    found = queue_table.get(connection, queue) if queue is not None else None
    return found is not None and found["reviewers"] > 1


def _draw(connection: sa.Connection, id: str, queue: int | None, lease: table.Lease | None) -> dict[str, Any]:
    """Strategy, probability and queue of the draw that a decision rests on."""
    is_gold = lease is not None and lease.strategy == Strategy.GOLD
    if queue is not None and not is_gold and (item := queue_table.item(connection, queue, id)):
        return {"strategy": item["strategy"], "probability": item["probability"], "queue": queue}
    return {} if lease is None else {n: getattr(lease, n) for n in ("strategy", "probability", "queue")}


def _decision_row(
    row: Mapping[str, Any], label: str | None, reviewer: str, note: str, key: str | None
) -> dict[str, Any]:
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


def reviewed(app: App, *, limit: int | None = None, model: str | None = None) -> list[dict[str, Any]]:
    """The current decisions, newest first.

    id, image (key), capture_key, image_sha256, image_key, stored_key, model, prediction, confidence, label (class name,
    OTHER or None), label_text (as shown), classes (the choices), status, reviewer, time, and the draw: strategy,
    probability, queue; note.
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
        "note": row["review_note"],
        "queue": row["review_queue"],
    }
