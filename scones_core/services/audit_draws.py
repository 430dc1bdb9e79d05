"""Draws of audits: which captured inferences are to be labelled."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from scones_core import logs
from scones_core.db import audits as table
from scones_core.db import queues as queue_table
from scones_core.domain.audit import Floats, Rows
from scones_core.domain.audit_draw import AuditKind, added_probabilities, draw, inclusion_probabilities
from scones_core.domain.models import ModelVersion
from scones_core.domain.promise import cut_for
from scones_core.domain.review import Strategy
from scones_core.errors import BadInput, NotFound
from scones_core.services import audits, deployment, queues
from scones_core.services.app import App
from scones_core.services.audit_population import AuditPopulation
from scones_core.services.audits import Audit
from scones_core.services.queues import QueueEntry

MAX_RISK = 0.05  # promised unless told otherwise


@logs.use_case
def start(
    app: App,
    labels: int,
    *,
    kind: AuditKind = AuditKind.ACCURACY,
    since: datetime | None = None,
    max_risk: float = MAX_RISK,
    by: str,
    seed: int | None = None,
) -> Audit:
    """Draw captured inferences of the model in service and queue them for review.

    since : start of the period (UTC); by default all inferences of the model.
    max_risk : what a promise audit is to promise; nothing below its cut is drawn.
    Raises NotFound (no model in service, no inferences), BadInput.
    """
    if labels < 1:
        raise BadInput("An audit needs at least 1 label: 100 are usual.")
    if not 0 < max_risk < 1:
        raise BadInput("The error rate to promise must be between 0 and 1, such as 0.05.")
    champion = champion_of(app)
    until, seed = datetime.now(UTC), secrets.randbelow(2**31) if seed is None else seed
    with app.db.read() as connection:
        found = AuditPopulation.read(connection, app.settings.endpoint, champion.number, since, until)
    if not found.events:
        raise _nothing(champion)
    cut = cut_for(found.confidences, max_risk) if kind is AuditKind.PROMISE else 0.0
    probabilities = audits.draw_probabilities(kind, found.confidences, labels, cut)
    drawn = draw(probabilities, seed)
    if not len(drawn):
        raise BadInput(f"No captured inference is more confident than {cut:.2f}: promise a larger error rate.")
    items = _items(found.events, drawn, probabilities)
    queue = queues.create(
        app,
        f"Audit of {champion.id}: {kind}",
        _entries(kind, items),
        strategy=Strategy.AUDIT,
        by=by,
        filter={"model": champion.id, **({"since": since.isoformat()} if since else {})},
    )
    values = {
        "created": until,
        "created_by": by,
        "kind": str(kind),
        "model": champion.number,
        "queue": queue,
        "seed": seed,
        "since": since,
        "until": until,
        "cut": cut,
        "labels": len(items),
        "inferences": len(found.events),
        "population": found.packed(),
    }
    with app.db.write() as connection:
        id = table.add(connection, values, items)
    return audits.audited(app, id).audit


@logs.use_case
def extend(app: App, labels: int, *, id: int | None = None, by: str, seed: int | None = None) -> Audit:
    """Draw so many more of an audit's inferences (default: the newest audit's) and add them to its queue.

    All labels together are then drawn with the probabilities of an audit of so many.
    Raises BadInput (no accuracy audit, images left to label, all drawn), NotFound.
    """
    if labels < 1:
        raise BadInput("An audit is extended by at least 1 label.")
    seed = secrets.randbelow(2**31) if seed is None else seed
    with app.db.write() as connection:  # so that nobody else extends it meanwhile
        found = audits.audited(app, id)
        of, confidences = found.audit, found.sample.confidences
        _check_extensible(of)
        target = of.target + labels
        after = inclusion_probabilities(confidences, target)
        added = draw(added_probabilities(found.draws[-1].probabilities, after, found.sample.rows), seed)
        if not len(added):
            raise BadInput(f"None of the inferences was drawn: extend audit {of.id} by more labels.")
        items = _items(_events(app, connection, of), added, after)
        made = {"created": datetime.now(UTC), "created_by": by, "seed": seed, "target": target, "labels": len(items)}
        table.extend(connection, of.id, made, items, of.labels)
        queue_table.append(connection, of.queue, map(asdict, _entries(of.kind, items)))
    return audits.audited(app, of.id).audit


def _check_extensible(of: Audit) -> None:
    if of.kind is not AuditKind.ACCURACY:
        raise BadInput(f"Audit {of.id} is about a promise, which counts the labels of several audits: start another.")
    if not of.complete:
        raise BadInput(f"Audit {of.id} has {of.labels - of.decided:,} images left to label: label them first.")
    if of.labels == of.inferences:
        raise BadInput(f"All {of.labels:,} inferences of audit {of.id} are labelled: start a new audit.")


def _events(app: App, connection: sa.Connection, of: Audit) -> list[str]:
    """Event ids of an audit's period, in its order. Raises BadInput."""
    row = next(row for row in table.listed(connection) if row["id"] == of.id)
    now = AuditPopulation.read(connection, app.settings.endpoint, row["model"], of.since, of.until)
    events = now.events_of(AuditPopulation.unpacked(row["population"]))
    if events is None:
        raise BadInput(
            f"The captured inferences of audit {of.id} are not those that it was drawn from: start a new one."
        )
    return events


def _items(events: Sequence[str], rows: Rows, probabilities: Floats) -> list[dict[str, Any]]:
    return [{"event_id": events[row], "row": row, "probability": float(probabilities[row])} for row in rows.tolist()]


def _entries(kind: AuditKind, items: Sequence[Mapping[str, Any]]) -> list[QueueEntry]:
    return [QueueEntry(item["event_id"], f"Audit: {kind}", item["probability"]) for item in items]


def period(app: App, since: datetime | None = None) -> Floats:
    """Confidences of the captured inferences that an audit would be about, shape (n,). Raises NotFound."""
    champion = champion_of(app)
    with app.db.read() as connection:
        found = table.confidences(connection, app.settings.endpoint, champion.number, since, datetime.now(UTC))
    if not len(found):
        raise _nothing(champion)
    return found


def champion_of(app: App) -> ModelVersion:
    """The model in service, which an audit is about. Raises NotFound."""
    found = deployment.champion(app)
    if found is None:
        raise NotFound("No model is deployed yet: deploy one first.")
    return found


def _nothing(champion: ModelVersion) -> NotFound:
    return NotFound(f"{champion.id} has no captured inferences in this period: send images or choose a longer one.")
