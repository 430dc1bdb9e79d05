"""The evidence report: one self-contained HTML file, the same bytes for the same state."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from scones_core.db import evidence as table
from scones_core.domain.models import ModelVersion
from scones_core.errors import NotFound, SconesError
from scones_core.services import App, audits, capture, deployment, drift_standing, monitoring, promises
from scones_core.services.report_sections import (
    LEVEL,
    MAX_RISK,
    ReportPictures,
    ReportSentence,
    audit_section,
    drift_section,
    model_section,
    png,
    slices_section,
    threshold_section,
    work_section,
)

if TYPE_CHECKING:
    from jinja2 import Template


def report(app: App) -> bytes:
    """The report on the model in service. Raises NotFound without one, or without its test predictions."""
    champion = deployment.champion(app)
    if champion is None:
        raise NotFound("No model is deployed yet: deploy one first.")
    drift = drift_section(app)
    drift.pictures += _pictures(app)
    sections = [
        audit_section(app, champion),
        threshold_section(app),
        drift,
        slices_section(app),
        model_section(app, champion),
        work_section(app),
    ]
    until = _until(app)
    text = _template().render(
        model=champion,
        until=f"{until:%Y-%m-%d %H:%M:%S} UTC" if until else "now: nothing is captured yet",
        sections=sections,
        steps=_steps(app, champion),
    )
    return text.encode()


@lru_cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(Path(__file__).with_name("report.html").read_text(encoding="utf-8"))


def _until(app: App) -> datetime | None:
    """Time of the newest inference or decision: the report says nothing of later ones."""
    with app.db.read() as connection:
        return table.newest(connection)


def _pictures(app: App) -> Sequence[ReportPictures]:
    alarm = drift_standing.standing(app).alarm
    if alarm is None:
        return []
    before = [_captured(app, event) for event in alarm.before]
    if not before:
        before = [png(app.backend.objects.get(key)) for key in drift_standing.reference_keys(app)]
    after = [_captured(app, event) for event in alarm.after]
    title = "Before" if alarm.before else "Test images"
    return [
        ReportPictures(title, [one for one in before if one]),
        ReportPictures("Since then", [one for one in after if one]),
    ]


def _captured(app: App, event: str) -> str | None:
    try:
        return png(capture.image(app, event))
    except SconesError:
        return None


def _steps(app: App, champion: ModelVersion) -> list[ReportSentence]:
    """What follows from the figures, most urgent first."""
    steps, every = [], audits.listed(app, champion.id)
    drift = drift_standing.standing(app)
    if drift.alarm:
        text = "Look at the images of the drift alarm, then audit about 100 of them: confidences say nothing now."
        steps.append(ReportSentence(text, "drift"))
    elif not every:
        steps.append(ReportSentence("Start an audit of about 100 labels: accuracy in production is not known."))
    for one in every:
        if not one.audit.complete:
            left = one.audit.labels - one.audit.decided
            text = f"Answer the {left:,} remaining images of audit {one.audit.id} in review queue {one.audit.queue}."
            steps.append(ReportSentence(text, f"audit --id {one.audit.id}"))
    measured = [(one.audit.id, figures) for one in every if (figures := audits.measured(app, one))]
    if measured and measured[-1][1].confidence_gap[1] > 0:
        text = "The model is surer than right in production: retrain with the audited labels."
        steps.append(ReportSentence(text, f"audit --id {measured[-1][0]}"))
    promised = _promised(app)
    if promised is not None and promised != monitoring.threshold(app):
        text = f"Set the threshold to {promised:.2f}: at most {MAX_RISK:.0%} errors are promised with it."
        steps.append(ReportSentence(text, f"threshold --max-risk {MAX_RISK} --confidence {LEVEL}"))
    return steps or [ReportSentence("Nothing is due. Audit again when the images or the cameras change.")]


def _promised(app: App) -> float | None:
    try:
        made = promises.production(app, max_risk=MAX_RISK, level=LEVEL)
    except NotFound:
        return None
    return made.found.threshold if made.found else None
