"""Reviewers: who looks at which image, what they decide, and how they take it back."""

import csv
import io
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from scones_core.db import reviews as table
from scones_core.domain.review import LEASE, OTHER, Decision, Status, Strategy, standing, status_of
from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.services import capture, monitoring
from scones_core.services.app import App
from scones_core.services.classification import class_name, class_names


@dataclass(frozen=True)
class Item:
    """A captured inference for a reviewer to look at. probabilities: class name → probability."""

    id: str
    image: str
    prediction: str
    confidence: float
    probabilities: dict[str, float]
    lease_expires: datetime


@dataclass(frozen=True)
class Recorded:
    """A decision as it stands now; `revision` counts what was ever decided on the image."""

    id: str
    label: str | None
    revision: int
    status: Status


class ExportFormat(StrEnum):
    MANIFEST = "manifest"
    LABEL_STUDIO = "label-studio"
    CSV = "csv"


def next_items(
    app: App,
    reviewer: str,
    *,
    strategy: Strategy = Strategy.LEAST_CONFIDENCE,
    count: int = 1,
    exclude: Sequence[str] = (),
) -> list[Item]:
    """Lease the next images to a reviewer for ten minutes, one inference per image."""
    _check_reviewer(reviewer)
    now, names = datetime.now(UTC), class_names(app)
    expires = now + LEASE
    with app.db.write() as connection:
        rows = table.open_items(connection, strategy=strategy, count=count, reviewer=reviewer, now=now, exclude=exclude)
        table.lease(connection, [row["image_sha256"] for row in rows], reviewer, expires)
    return [_item(row, names, expires) for row in rows]


def _item(row: dict[str, Any], names: Sequence[str], expires: datetime) -> Item:
    return Item(
        id=row["event_id"],
        image=row["image_key"] or row["capture_key"],
        prediction=class_name(names, row["prediction"]),
        confidence=row["confidence"],
        probabilities={class_name(names, i): p for i, p in enumerate(row["probabilities"])},
        lease_expires=expires,
    )


def labels(app: App) -> tuple[str, ...]:
    """What a reviewer can choose: the classes in order, and "other"."""
    return (*class_names(app), OTHER)


def decide(app: App, id: str, label: str | None, reviewer: str, *, note: str = "", key: str | None = None) -> Recorded:
    """Record a reviewer's label for the image of a captured inference; None skips the image.

    key : idempotency key; the same key again records nothing. Raises BadInput, NotFound, Conflict (another's lease).
    """
    _check_reviewer(reviewer)
    row, names = capture.inference(app, id), class_names(app)
    if label is not None and label not in labels(app):
        raise BadInput(f"“{label}” is not one of the labels: choose {', '.join(labels(app))}.")
    with app.db.write() as connection:
        if key is None or table.by_idempotency_key(connection, key) is None:
            _check_lease(connection, row["image_sha256"], reviewer)
            table.append(connection, _decision_row(row, label, reviewer, note, key))
            table.release(connection, row["image_sha256"])
        return _settle(connection, row, names)


def undo(app: App, reviewer: str, *, id: str | None = None, key: str | None = None) -> Recorded:
    """Take back the reviewer's last decision (on one inference, or on any). Raises Conflict when there is none.

    key : idempotency key; the same key again takes nothing back.
    """
    _check_reviewer(reviewer)
    with app.db.write() as connection:
        if key and (done := table.by_idempotency_key(connection, key)):
            return _settle(connection, capture.inference(app, done["event_id"]), class_names(app))
        last = table.last_of_reviewer(connection, reviewer, id)
        if last is None:
            raise Conflict(f"{reviewer} has no decision to take back{' on this image' if id else ''}.")
        row = capture.inference(app, last["event_id"])
        values = {**_decision_row(row, None, reviewer, "", key), "action": "undo", "undoes": last["id"]}
        table.append(connection, values)
        table.lease(connection, [row["image_sha256"]], reviewer, datetime.now(UTC) + LEASE)
        return _settle(connection, row, class_names(app))


def item(app: App, id: str) -> Item:
    """One captured inference as a reviewer sees it, without a lease."""
    return _item(capture.inference(app, id), class_names(app), datetime.now(UTC))


def _check_reviewer(reviewer: str) -> None:
    if not reviewer.strip():
        raise BadInput("A reviewer's name is needed: say who decides.")


def _check_lease(connection: sa.Connection, image: str, reviewer: str) -> None:
    held = table.lease_of(connection, image)
    if held and held[0] != reviewer and held[1] > datetime.now(UTC):
        raise Conflict(f"{held[0]} is reviewing this image until {held[1]:%H:%M} UTC: take the next one.")


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


def _settle(connection: sa.Connection, row: dict[str, Any], names: Sequence[str]) -> Recorded:
    """Bring the label in force into step with the decisions, and say what it is."""
    image = row["image_sha256"]
    decision = standing(table.of_image(connection, image))
    status = status_of(decision, class_name(names, row["prediction"]))
    table.set_standing(connection, image, _standing_row(decision, status) if decision else None)
    return Recorded(row["event_id"], decision.label if decision else None, table.revision(connection, image), status)


def _standing_row(decision: Decision, status: Status) -> dict[str, Any]:
    return {
        "event_id": decision.event_id,
        "decision": decision.id,
        "label": decision.label,
        "status": str(status),
        "reviewer": decision.reviewer,
        "time": decision.time,
    }


def reviewed(app: App, *, limit: int | None = None) -> list[dict[str, Any]]:
    """The decisions in force, newest first: id, image, prediction, confidence, label, status, reviewer, time."""
    names = class_names(app)
    with app.db.read() as connection:
        rows = table.reviewed(connection, limit)
    return [
        {
            "id": row["event_id"],
            "image": row["image_key"] or row["capture_key"],
            "capture_key": row["capture_key"],
            "image_sha256": row["image_sha256"],
            "prediction": class_name(names, row["prediction"]),
            "confidence": row["confidence"],
            "label": row["review_label"],
            "status": row["review_status"],
            "reviewer": row["review_reviewer"],
            "time": row["review_time"],
        }
        for row in rows
    ]


@dataclass(frozen=True)
class QueueFigures:
    """pending: low-confidence images without a decision; the others: images by the decision in force."""

    pending: int
    confirmed: int
    relabelled: int
    skipped: int


def queue(app: App) -> QueueFigures:
    threshold = monitoring.threshold(app)
    with app.db.read() as connection:
        counts = table.counts(connection)
        pending = table.pending_count(connection, threshold)
    return QueueFigures(pending, *(counts.get(s, 0) for s in (Status.CONFIRMED, Status.RELABELLED, Status.SKIPPED)))


def export(app: App, format: ExportFormat) -> tuple[str, int]:
    """The labels in force as text, and how many. Raises NotFound when there are none."""
    rows = [row for row in reviewed(app) if row["label"] is not None]
    if not rows:
        raise NotFound("There are no reviewed labels to export yet: review some images first.")
    text = {ExportFormat.MANIFEST: _manifest, ExportFormat.LABEL_STUDIO: _label_studio, ExportFormat.CSV: _csv}[format]
    return text(app, rows), len(rows)


def _uri(app: App, row: dict[str, Any]) -> str:
    key = row["image"] if row["image"] != row["capture_key"] else capture.stored_image(app, row["id"])
    return f"s3://{app.backend.objects.bucket}/{key}"


def _manifest(app: App, rows: Sequence[dict[str, Any]]) -> str:
    """Augmented manifest. Source: SageMaker Ground Truth, "Output data", image classification job output."""
    names = labels(app)
    lines = (
        {
            "source-ref": _uri(app, row),
            "label": names.index(row["label"]),
            "label-metadata": {
                "class-name": row["label"],
                "confidence": 1.0,
                "type": "groundtruth/image-classification",
                "human-annotated": "yes",
                "creation-date": row["time"].strftime("%Y-%m-%dT%H:%M:%S.%f"),
                "job-name": "scones-review",
            },
        }
        for row in rows
    )
    return "".join(json.dumps(line) + "\n" for line in lines)


def _label_studio(app: App, rows: Sequence[dict[str, Any]]) -> str:
    """Label Studio tasks with annotations and predictions. Source: Label Studio, "Import pre-annotated data"."""

    def choice(label: str) -> list[dict[str, Any]]:
        return [{"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": [label]}}]

    tasks = [
        {
            "data": {"image": _uri(app, row)},
            "annotations": [{"result": choice(row["label"])}],
            "predictions": [{"result": choice(row["prediction"]), "score": row["confidence"]}],
            "meta": {"reviewer": row["reviewer"], "time": row["time"].isoformat()},
        }
        for row in rows
    ]
    return json.dumps(tasks, indent=1)


def _csv(_app: App, rows: Sequence[dict[str, Any]]) -> str:
    columns = ("id", "image", "prediction", "confidence", "label", "status", "reviewer", "time")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula is quoted."""
    if isinstance(value, datetime):
        return value.isoformat()
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value
