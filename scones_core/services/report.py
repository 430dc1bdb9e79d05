"""The evidence report: one self-contained HTML file, the same bytes for the same state."""

import base64
import io
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from scones_core.db import evidence as table
from scones_core.domain.models import ModelVersion
from scones_core.errors import BadImage, NotFound, SconesError
from scones_core.services import App, audits, capture, deployment, drift_standing, monitoring, promises
from scones_core.services.report_sections import (
    LEVEL,
    MAX_RISK,
    ReportPictures,
    ReportSection,
    audit_section,
    drift_section,
    model_section,
    threshold_section,
    work_section,
)
from scones_core.vision.images import decode

if TYPE_CHECKING:
    from jinja2 import Template

SIDE = 64  # pixels of a picture


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
        model_section(app, champion),
        work_section(app),
    ]
    until = _until(app)
    text = _template().render(
        model=champion,
        until=f"{until:%Y-%m-%d %H:%M:%S} UTC" if until else "now: nothing is captured yet",
        sections=sections,
        steps=_steps(app, champion, sections),
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
        before = [_png(app.backend.objects.get(key)) for key in drift_standing.reference_keys(app)]
    after = [_captured(app, event) for event in alarm.after]
    title = "Before" if alarm.before else "Test images"
    return [
        ReportPictures(title, [one for one in before if one]),
        ReportPictures("Since then", [one for one in after if one]),
    ]


def _captured(app: App, event: str) -> str | None:
    try:
        return _png(capture.image(app, event))
    except SconesError:
        return None


def _png(data: bytes) -> str | None:
    try:
        image = decode(data)
    except BadImage:
        return None
    written = io.BytesIO()
    if max(image.size) > SIDE:
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    image.save(written, "PNG")
    return base64.b64encode(written.getvalue()).decode()


def _steps(app: App, champion: ModelVersion, sections: Sequence[ReportSection]) -> list[str]:
    """What follows from the figures, most urgent first."""
    steps, every = [], audits.listed(app, champion.id)
    drift = drift_standing.standing(app)
    if drift.alarm:
        steps.append(
            "Look at the images of the drift alarm, then audit about 100 of them: confidences say nothing now."
        )
    elif not every:
        steps.append("Start an audit of about 100 labels: accuracy in production is not known.")
    for one in every:
        if not one.audit.complete:
            left = one.audit.labels - one.audit.decided
            steps.append(
                f"Answer the {left:,} remaining images of audit {one.audit.id} in review queue {one.audit.queue}."
            )
    measured = [figures for one in every if (figures := audits.measured(app, one))]
    if measured and measured[-1].confidence_gap[1] > 0:
        steps.append("The model is surer than right in production: retrain with the audited labels.")
    promised = _promised(app)
    if promised is not None and promised != monitoring.threshold(app):
        steps.append(f"Set the threshold to {promised:.2f}: at most {MAX_RISK:.0%} errors are promised with it.")
    return steps or ["Nothing is due. Audit again when the images or the cameras change."]


def _promised(app: App) -> float | None:
    try:
        made = promises.production(app, max_risk=MAX_RISK, level=LEVEL)
    except NotFound:
        return None
    return made.found.threshold if made.found else None
