"""Audits: labels drawn with known probabilities from the captured inferences of the model in service."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from scones_core.db import audits as table
from scones_core.db import evidence
from scones_core.domain.audit import OTHER, UNKNOWN, AuditFigures, Floats, Sample, figures, risk_at
from scones_core.domain.audit_draw import AuditKind, Draw, added_probabilities, inclusion_probabilities, so_far
from scones_core.domain.confidence import coverage
from scones_core.errors import NotFound
from scones_core.services import capture, deployment, drift_standing, training
from scones_core.services.app import App
from scones_core.services.audit_population import AuditPopulation
from scones_core.services.threshold import threshold

ENOUGH = 20  # answers of an audit


@dataclass(frozen=True)
class AuditExtension:
    """A later draw of an audit.  target : labels in all that it was drawn for.  labels : drawn by it."""

    created: datetime
    created_by: str
    seed: int
    target: int
    labels: int


@dataclass(frozen=True)
class Audit:
    """A recorded audit.

    since, until : the period, since None: from when the model came into service.  cut : nothing at or below was drawn.
    labels : drawn, with the extensions.  decided : the first so many of them, in the order of the draw, have an answer.
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
    extensions: tuple[AuditExtension, ...] = ()

    @property
    def target(self) -> int:
        """Labels that it was drawn for; an extension may have drawn one or two more or less."""
        return self.extensions[-1].target if self.extensions else self.labels

    @property
    def complete(self) -> bool:
        return self.decided == self.labels


@dataclass(frozen=True)
class Audited:
    """An audit with its answers so far. sample : the decided ones; confidences, of the whole period, in its order."""

    audit: Audit
    sample: Sample
    draws: tuple[Draw, ...]

    @property
    def probabilities(self) -> Floats:
        """With which the first draw drew each inference of the period, shape (n,)."""
        return self.draws[0].probabilities

    def by_draw(self) -> Iterator[tuple[Floats, slice]]:
        """Of each draw, with which probability it drew each inference, given those before, and its answers."""
        before, at = np.zeros(len(self.probabilities)), 0
        for one in self.draws:
            yield added_probabilities(before, one.probabilities, self.sample.rows[:at]), slice(at, at + one.count)
            before, at = one.probabilities, at + one.count


def draw_probabilities(kind: AuditKind, confidences: Floats, labels: int, cut: float) -> Floats:
    """With which each inference of the period is drawn, shape (n,); all above the cut alike for a promise."""
    if kind is AuditKind.ACCURACY:
        return inclusion_probabilities(confidences, labels)
    above = confidences > cut
    return np.where(above, min(1.0, labels / max(1, above.sum())), 0.0)


def listed(app: App, model: str | None = None) -> list[Audited]:
    """All audits with their answers, or those of a model version, oldest first."""
    number = training.model(app, model).number if model else None
    with app.db.read() as connection:
        found = [
            (row, table.answers(connection, row), table.extensions(connection, row["id"]))
            for row in table.listed(connection, number)
        ]
    classes = {version.number: version.classes for version in training.models(app)}
    return [_audited(row, answers, extensions, classes[row["model"]]) for row, answers, extensions in found]


def current(app: App, model: str) -> list[Audited]:
    """Those of a model version that are about production as it is now: drawn since a drift alarm that still matters."""
    moved = drift_standing.moved(app, model)
    return [one for one in listed(app, model) if moved is None or one.audit.created > moved]


def informative(app: App, model: str) -> Audited | None:
    """The newest of these that is of accuracy and has answers enough that something else may rest on them."""
    of_accuracy = (one for one in reversed(current(app, model)) if one.audit.kind is AuditKind.ACCURACY)
    return next((one for one in of_accuracy if one.audit.decided >= ENOUGH), None)


def audited(app: App, id: int | None = None) -> Audited:
    """An audit with its answers, by default the newest. Raises NotFound."""
    found = [one for one in listed(app) if id in (None, one.audit.id)]
    if not found:
        raise NotFound("No audit yet: start one with audit start --labels 100." if id is None else f"No audit {id}.")
    return found[-1]


def _audited(
    row: Mapping[str, Any], answers: Sequence[Any], extensions: Sequence[Mapping[str, Any]], classes: tuple[str, ...]
) -> Audited:
    """The answers up to the first that is missing: those that came earlier are not drawn by how easy they are."""
    decided = next((place for place, answer in enumerate(answers) if not answer.decided), len(answers))
    population = AuditPopulation.unpacked(row["population"])
    index = {name: number for number, name in enumerate(classes)}
    known = answers[:decided]
    labels = [UNKNOWN if one.label is None else index.get(one.label, OTHER) for one in known]
    rows = np.array([one.row for one in known], dtype=np.int64)
    names = ("id", "created", "created_by", "queue", "seed", "since", "until", "cut", "inferences")
    audit = Audit(
        **{name: row[name] for name in names},
        kind=AuditKind(row["kind"]),
        model=f"v{row['model']}",
        labels=len(answers),
        decided=decided,
        extensions=tuple(
            AuditExtension(**{name: one[name] for name in AuditExtension.__annotations__}) for one in extensions
        ),
    )
    counts = [(row["labels"], row["labels"]), *((one.target, one.labels) for one in audit.extensions)]
    draws = tuple(
        Draw(draw_probabilities(audit.kind, population.confidences, target, audit.cut), count)
        for target, count in counts
    )
    sample = Sample(
        population.confidences,
        population.predictions,
        rows,
        so_far(draws, decided)[rows],
        np.array(labels, dtype=np.int64),
    )
    return Audited(audit, sample, draws)


def measured(app: App, found: Audited) -> AuditFigures | None:
    """What an accuracy audit says at the current threshold; None without an answer, or for a promise audit."""
    if found.audit.kind is not AuditKind.ACCURACY or not found.audit.decided:
        return None
    classes = len(training.model(app, found.audit.model).classes)
    return figures(found.sample, threshold=threshold(app), classes=classes)


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
