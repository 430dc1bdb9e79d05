"""How many labels an audit of accuracy needs, or still needs, for an interval of ± x."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scones_core.domain.audit_draw import AuditKind
from scones_core.domain.known_answers import KnownAnswers
from scones_core.domain.planning import PlannedInterval
from scones_core.errors import BadInput, NotFound
from scones_core.services import audit_draws, audits, drift_standing, monitoring
from scones_core.services.app import App
from scones_core.services.audits import Audited


@dataclass(frozen=True)
class AuditPlan:
    """Labels with which an audit gives accuracy to ± half_width at 95%, and how many more these are.

    labels, more : None if all of the `inferences` do not.
    audit : which it extends, or else which it learns from, if there is one.
    """

    labels: int | None
    more: int | None
    half_width: float
    inferences: int
    audit: int | None


def new(app: App, half_widths: Sequence[float], *, since: datetime | None = None) -> list[AuditPlan]:
    """Of a new audit, for each half-width.

    Raises BadInput, NotFound (no inferences, or drift and no audit since: nothing is known then).
    """
    _check(half_widths)
    confidences, model = audit_draws.period(app, since), audit_draws.champion_of(app).id
    answers, audit = known_answers(app, model)
    plan = PlannedInterval(confidences, answers)
    labels = [plan.labels(width) for width in half_widths]
    return [
        AuditPlan(count, count, width, len(confidences), audit)
        for count, width in zip(labels, half_widths, strict=True)
    ]


def extension(app: App, of: Audited, half_widths: Sequence[float]) -> list[AuditPlan]:
    """Of an audit all of whose labels are given, for each half-width. Raises BadInput."""
    _check(half_widths)
    audit = of.audit
    if audit.kind is not AuditKind.ACCURACY or not audit.complete:
        raise BadInput(f"Audit {audit.id} cannot be extended: only an audit of accuracy with all its labels can.")
    answers = _learned(app, of)
    plan = PlannedInterval(of.sample.confidences, answers, of.sample)
    found = []
    for width in half_widths:
        labels = plan.labels(width)
        found.append(AuditPlan(labels, labels and labels - audit.labels, width, audit.inferences, audit.id))
    return found


def known_answers(app: App, model: str) -> tuple[KnownAnswers, int | None]:
    """Of a model version: on images it was not trained on, while nothing drifts, and of its newest audit; and its id.

    Raises NotFound if nothing is known.
    """
    if newest := audits.informative(app, model):
        return _learned(app, newest), newest.audit.id
    if (trained := _of_training(app, model)) is None:
        raise NotFound("The images have drifted from the test images: audit 100 of them to know how many are needed.")
    return trained, None


def _learned(app: App, of: Audited) -> KnownAnswers:
    """Those of an audit, and those of training unless the audit contradicts them."""
    answers, trained, figures = (
        KnownAnswers.of_audit(of.sample),
        _of_training(app, of.audit.model),
        audits.measured(app, of),
    )
    if trained is None or figures is None:
        return answers
    low, high = figures.accuracy.interval
    return answers + trained if low <= trained.calibrated(of.sample.confidences).mean() <= high else answers


def _of_training(app: App, model: str) -> KnownAnswers | None:
    """On test images and, of the model in service, held-out training images; None after drift: these say nothing."""
    if drift_standing.moved(app, model):
        return None
    tested, held_out = monitoring.measured(app, model), monitoring.held_out_answers(app)
    answers = KnownAnswers.equal(tested.confidences, tested.correct)
    of_it = held_out if held_out and held_out.model == model else None
    return answers + KnownAnswers.equal(of_it.confidences, of_it.correct) if of_it else answers


def _check(half_widths: Sequence[float]) -> None:
    if not all(0 < half_width < 0.5 for half_width in half_widths):
        raise BadInput("The half-width must be between 0 and 0.5, such as 0.03.")
