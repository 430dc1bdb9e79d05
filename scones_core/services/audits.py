"""Audits: labels drawn with known probabilities from the captured inferences of the model in service."""

import io
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from scones_core import logs
from scones_core.db import audits as table
from scones_core.db import evidence
from scones_core.domain.audit import OTHER, UNKNOWN, AuditFigures, Floats, Rows, Sample, figures, risk_at
from scones_core.domain.audit_draw import AuditKind, draw, inclusion_probabilities, so_far
from scones_core.domain.confidence import coverage
from scones_core.domain.models import ModelVersion
from scones_core.domain.planning import labels_for_interval
from scones_core.domain.promise import cut_for
from scones_core.domain.review import Strategy
from scones_core.errors import BadInput, NotFound
from scones_core.services import capture, deployment, queues, training
from scones_core.services.app import App
from scones_core.services.queues import QueueEntry
from scones_core.services.threshold import threshold

MAX_RISK = 0.05  # promised unless told otherwise
ENOUGH = 20  # answers of an earlier audit that a plan learns from


@dataclass(frozen=True)
class Audit:
    """A recorded audit.

    since, until : the period, since None: from when the model came into service.  cut : nothing at or below was drawn.
    labels : drawn.  decided : the first so many of them, in the order of the draw, have an answer.
    inferences : of the period.
    """

    id: int
    created: datetime
    created_by: str
    kind: AuditKind
    model: str
    queue: int
    seed: int
    since: datetime | None
    until: datetime
    cut: float
    labels: int
    decided: int
    inferences: int

    @property
    def complete(self) -> bool:
        return self.decided == self.labels


@dataclass(frozen=True)
class Audited:
    """An audit with its answers so far. sample : the decided ones; confidences, of the whole period, in its order."""

    audit: Audit
    sample: Sample
    probabilities: Floats


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
    champion = _champion(app)
    until, seed = datetime.now(UTC), secrets.randbelow(2**31) if seed is None else seed
    with app.db.read() as connection:
        rows = table.population(connection, app.settings.endpoint, champion.number, since, until)
    if not rows:
        raise NotFound(f"{champion.id} has no captured inferences in this period: send images or choose a longer one.")
    confidences, predictions = np.array([row[1] for row in rows]), np.array([row[2] for row in rows], dtype=np.int64)
    cut = cut_for(confidences, max_risk) if kind is AuditKind.PROMISE else 0.0
    probabilities = _probabilities(kind, confidences, labels, cut)
    drawn = draw(probabilities, seed)
    if not len(drawn):
        raise BadInput(f"No captured inference is more confident than {cut:.2f}: promise a larger error rate.")
    items = [
        {"event_id": rows[row][0], "row": int(row), "probability": float(probabilities[row])} for row in drawn.tolist()
    ]
    queue = queues.create(
        app,
        f"Audit of {champion.id}: {kind}",
        [QueueEntry(item["event_id"], f"Audit: {kind}", item["probability"]) for item in items],
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
        "inferences": len(rows),
        "population": _packed(confidences, predictions),
    }
    with app.db.write() as connection:
        id = table.add(connection, values, items)
    return audited(app, id).audit


def period(app: App, since: datetime | None = None) -> Floats:
    """Confidences of the captured inferences that an audit would be about, shape (n,). Raises NotFound."""
    champion = _champion(app)
    with app.db.read() as connection:
        found = table.confidences(connection, app.settings.endpoint, champion.number, since, datetime.now(UTC))
    if not len(found):
        raise NotFound(f"{champion.id} has no captured inferences in this period: send images or choose a longer one.")
    return found


def _champion(app: App) -> ModelVersion:
    found = deployment.champion(app)
    if found is None:
        raise NotFound("No model is deployed yet: deploy one first.")
    return found


def _probabilities(kind: AuditKind, confidences: Floats, labels: int, cut: float) -> Floats:
    """With which each inference of the period is drawn; all above the cut alike for a promise."""
    if kind is AuditKind.ACCURACY:
        return inclusion_probabilities(confidences, labels)
    above = confidences > cut
    return np.where(above, min(1.0, labels / max(1, above.sum())), 0.0)


def _packed(confidences: Floats, predictions: Rows) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, confidences=confidences, predictions=predictions.astype(np.int16))
    return buffer.getvalue()


def listed(app: App, model: str | None = None) -> list[Audited]:
    """All audits with their answers, or those of a model version, oldest first."""
    number = training.model(app, model).number if model else None
    with app.db.read() as connection:
        found = [(row, table.answers(connection, row)) for row in table.listed(connection, number)]
    classes = {version.number: version.classes for version in training.models(app)}
    return [_audited(row, answers, classes[row["model"]]) for row, answers in found]


def audited(app: App, id: int | None = None) -> Audited:
    """An audit with its answers, by default the newest. Raises NotFound."""
    found = [one for one in listed(app) if id in (None, one.audit.id)]
    if not found:
        raise NotFound("No audit yet: start one with audit start --labels 100." if id is None else f"No audit {id}.")
    return found[-1]


def _audited(row: Mapping[str, Any], answers: Any, classes: tuple[str, ...]) -> Audited:
    """The answers up to the first that is missing: those that came earlier are not drawn by how easy they are."""
    decided = next((place for place, answer in enumerate(answers) if not answer.decided), len(answers))
    with np.load(io.BytesIO(row["population"]), allow_pickle=False) as file:
        confidences, predictions = file["confidences"], file["predictions"].astype(np.int64)
    index = {name: number for number, name in enumerate(classes)}
    known = answers[:decided]
    labels = [UNKNOWN if one.label is None else index.get(one.label, OTHER) for one in known]
    drawn = np.array([one.probability for one in answers])
    rows = np.array([one.row for one in known], dtype=np.int64)
    names = ("id", "created", "created_by", "queue", "seed", "since", "until", "cut", "labels", "inferences")
    audit = Audit(
        **{name: row[name] for name in names}, kind=AuditKind(row["kind"]), model=f"v{row['model']}", decided=decided
    )
    probabilities = so_far(drawn, decided)[:decided]
    sample = Sample(confidences, predictions, rows, probabilities, np.array(labels, dtype=np.int64))
    return Audited(audit, sample, _probabilities(audit.kind, confidences, audit.labels, audit.cut))


def measured(app: App, found: Audited) -> AuditFigures | None:
    """What an accuracy audit says at the current threshold; None without an answer, or for a promise audit."""
    if found.audit.kind is not AuditKind.ACCURACY or not found.audit.decided:
        return None
    classes = len(training.model(app, found.audit.model).classes)
    return figures(found.sample, threshold=threshold(app), classes=classes)


@dataclass(frozen=True)
class AuditPlan:
    """Labels with which an audit gives accuracy to ± half_width at 95%.  earlier : an audit that it learns from."""

    labels: int
    half_width: float
    inferences: int
    earlier: int | None


def plan(app: App, *, half_width: float, since: datetime | None = None) -> AuditPlan:
    """How many labels an audit needs. Raises BadInput, NotFound (no inferences)."""
    return plans(app, (half_width,), since=since)[0]


def plans(app: App, half_widths: Sequence[float], *, since: datetime | None = None) -> list[AuditPlan]:
    """As `plan`, for several half-widths."""
    if not all(0 < half_width < 0.5 for half_width in half_widths):
        raise BadInput("The half-width must be between 0 and 0.5, such as 0.03.")
    confidences = period(app, since)
    known = [
        one
        for one in listed(app, _champion(app).id)
        if one.audit.kind is AuditKind.ACCURACY and one.audit.decided >= ENOUGH
    ]
    earlier, id = (known[-1].sample, known[-1].audit.id) if known else (None, None)
    return [
        AuditPlan(labels_for_interval(confidences, width, earlier=earlier), width, len(confidences), id)
        for width in half_widths
    ]


def state(app: App) -> str:
    """Changes whenever an inference or a decision is added: what is computed from them may be kept until then."""
    champion = deployment.champion(app)
    with app.db.read() as connection:
        newest = evidence.newest(connection)
    return f"{champion.id if champion else None} {capture.captured(app)} {newest}"


def risk_coverage(found: Audited) -> list[dict[str, float | None]]:
    """Coverage and risk in the audited period for thresholds from 0.5 to 0.99, as `monitoring.risk_coverage`."""
    rows: list[dict[str, float | None]] = []
    for step in range(50, 100):
        risk = risk_at(found.sample, step / 100)
        share = coverage(found.sample.confidences, step / 100)
        rows.append({"threshold": step / 100, "coverage": share, "risk": risk.value if risk else None})
    return rows
