"""Sections of the evidence report: figures with the command and key that each comes from."""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from scones_core.domain.audit import Estimate
from scones_core.domain.audit_draw import AuditKind
from scones_core.domain.models import ModelVersion
from scones_core.errors import BadImage, NotFound
from scones_core.services import (
    App,
    audits,
    calibration,
    drift_standing,
    etl,
    expectation,
    monitoring,
    overview,
    promises,
    reviewers,
    slices,
    threshold,
)
from scones_core.services.audits import Audited
from scones_core.vision.images import decode

MAX_RISK, LEVEL = 0.05, 0.95  # of the promise that the report states
CHANGES = 10  # of the threshold
PICTURES = 8  # of a slice
SIDE = 64  # pixels of a picture


@dataclass(frozen=True)
class ReportFigure:
    """command, key : whose JSON it is, and where in it; keys and places joined by dots.  raw : the value as JSON."""

    name: str
    text: str
    raw: str
    command: str
    key: str


@dataclass(frozen=True)
class ReportPictures:
    """images : PNG in base64."""

    title: str
    images: Sequence[str]


@dataclass(frozen=True)
class ReportSentence:
    """command : whose JSON it is about; empty for one without figures."""

    text: str
    command: str = ""


@dataclass
class ReportSection:
    title: str
    sentences: list[ReportSentence] = field(default_factory=list)
    figures: list[ReportFigure] = field(default_factory=list)
    pictures: list[ReportPictures] = field(default_factory=list)
    alarm: bool = False

    def say(self, text: str, command: str = "") -> None:
        self.sentences.append(ReportSentence(text, command))

    def add(self, name: str, value: Any, command: str, key: str) -> None:
        """A figure; None is left out."""
        if value is not None:
            self.figures.append(ReportFigure(name, _text(value), json.dumps(value), command, key))

    def share(self, name: str, value: float | None, command: str, key: str) -> None:
        """A figure in percent; None is left out."""
        if value is not None:
            self.figures.append(ReportFigure(name, f"{value:.1%}", json.dumps(value), command, key))

    def interval(self, name: str, ends: Sequence[float] | None, command: str, key: str, form: str = ".1%") -> None:
        """Both ends, in percent unless another format is given."""
        if ends is not None:
            text = f"{ends[0]:{form}} to {ends[1]:{form}}"
            self.figures.append(ReportFigure(name, text, json.dumps(list(ends)), command, key))


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(_text(one) for one in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def model_section(app: App, champion: ModelVersion) -> ReportSection:
    found, command = ReportSection("Model and data"), f"model {champion.id}"
    dataset, calibrated = etl.get(app, champion.dataset), calibration.calibration(app)
    for name, value, key in (
        ("Model version", champion.id, "model"),
        ("Artifact SHA-256", champion.artifact_sha256, "artifact_sha256"),
        ("Training job", champion.training_job, "training_job"),
        ("Dataset version", champion.dataset, "dataset"),
        ("Classes", list(champion.classes), "classes"),
        ("Training images", dataset.train, "train"),
        ("Pool images", dataset.pool, "pool"),
        ("Sealed test images", dataset.test, "test"),
        ("Test set", dataset.test_set, "test_set"),
    ):
        found.add(name, value, command, key)
    accuracy = champion.accuracy
    found.share("Accuracy on the test images", accuracy.value, command, "accuracy")
    found.interval("95% interval", (accuracy.low, accuracy.high), command, "accuracy_interval")
    figures = calibrated.figures
    found.add("Calibration error (ECE)", figures.ece, command, "ece")
    found.interval("95% interval", figures.ece_interval, command, "ece_interval", ".3f")
    found.add("ECE up to which chance explains it", figures.ece_by_chance, command, "ece_by_chance")
    found.add("Brier score, summed over the classes", figures.brier, command, "brier")
    found.add("Brier score of the confidence", figures.confidence_brier, command, "confidence_brier")
    if dataset.generated:
        found.say("The images are a generated sample, not photographs.")
    return found


def threshold_section(app: App) -> ReportSection:
    found = ReportSection("Threshold and its promise")
    figures = monitoring.threshold_figures(app, monitoring.threshold(app), level=LEVEL)
    command = f"threshold --confidence {LEVEL}"
    found.add("Threshold", figures.threshold, command, "threshold")
    found.share("Coverage on the test images", figures.coverage, command, "coverage")
    found.share("Errors among accepted test images", figures.risk, command, "risk")
    found.share("At most, with 95% confidence", figures.risk_upper_bound, command, "risk_upper_bound")
    found.add("Test images", figures.labels_used, command, "labels_used")
    for place, change in enumerate(threshold.changes(app)[:CHANGES]):
        name = f"Set by {change.actor or 'nobody named'}, {change.time:%Y-%m-%d %H:%M} UTC"
        found.add(name, change.threshold, "threshold --history", f"changes.{place}.threshold")
    _production(app, found)
    return found


def _production(app: App, found: ReportSection) -> None:
    command = f"threshold --max-risk {MAX_RISK} --confidence {LEVEL}"
    try:
        made = promises.production(app, max_risk=MAX_RISK, level=LEVEL)
    except NotFound:
        found.say("No audit: nothing is promised about production.")
        return
    if made.found:
        found.add(
            f"Threshold that keeps {MAX_RISK:.0%} in production", made.found.threshold, command, "production.threshold"
        )
        found.share("Accepted with it", made.coverage, command, "production.coverage")
        found.share("Errors at most", made.found.risk_upper_bound, command, "production.risk_upper_bound")
    else:
        found.say(f"At most {MAX_RISK:.0%} errors among accepted cannot be promised about production yet.", command)
        found.add("Labels that are still needed", made.labels_needed, command, "production.labels_needed")
    found.add("Audit labels that this rests on", made.labels_used, command, "production.labels_used")


def audit_section(app: App, champion: ModelVersion) -> ReportSection:
    found = ReportSection("Audit: accuracy in production")
    every = audits.listed(app, champion.id)
    newest = {kind: [one for one in every if one.audit.kind is kind][-1:] for kind in AuditKind}
    for one in (*newest[AuditKind.ACCURACY], *newest[AuditKind.PROMISE]):
        _audit(app, champion, found, one)
    if not found.figures:
        found.say("No audit yet: accuracy in production is not known.")
    return found


def _audit(app: App, champion: ModelVersion, found: ReportSection, one: Audited) -> None:
    of, command = one.audit, f"audit --id {one.audit.id}"
    for name, value, key in (
        (f"Audit {of.id}: kind", str(of.kind), "kind"),
        ("Labels drawn", of.labels, "labels"),
        ("Answered", of.decided, "decided"),
        ("Captured inferences of the period", of.inferences, "inferences"),
        ("Seed of the draw", of.seed, "seed"),
    ):
        found.add(name, value, command, key)
    figures = audits.measured(app, one)
    if figures is None:
        return
    if not of.complete:
        found.say(f"Audit {of.id} is not complete: its intervals narrow as more labels are given.", command)
    found.share("Accuracy", figures.accuracy.value, command, "accuracy")
    found.interval("95% interval", figures.accuracy.interval, command, "interval")
    if figures.risk_accepted:
        found.share("Errors among accepted", figures.risk_accepted.value, command, "risk_accepted")
        found.interval("95% interval", figures.risk_accepted.interval, command, "risk_interval")
    shares: list[tuple[str, Estimate | None, str]] = [
        (f"Recall of {name}", figures.recall[index], f"recall.{name}") for index, name in enumerate(champion.classes)
    ]
    shares += [("No class", figures.other, "other"), ("Without a label", figures.unknown, "unknown")]
    for name, estimate, key in shares:
        if estimate and "." not in key.removeprefix("recall."):
            found.share(name, estimate.value, command, f"{key}.value")
            found.interval("95% interval", estimate.interval, command, f"{key}.interval")
    found.share("Mean confidence", figures.mean_confidence, command, "mean_confidence")
    found.add("Confidence − accuracy, with its interval", list(figures.confidence_gap), command, "confidence_gap")
    found.add("Calibration error (ECE)", figures.ece, command, "ece")
    found.interval("95% interval", figures.ece_interval, command, "ece_interval", ".3f")
    found.add("ECE up to which chance explains it", figures.ece_by_chance, command, "ece_by_chance")
    brier = figures.confidence_brier
    found.add("Brier score of the confidence", brier.value, command, "confidence_brier.value")
    found.interval("95% interval", brier.interval, command, "confidence_brier.interval", ".3f")


def drift_section(app: App) -> ReportSection:
    found, drift = ReportSection("Drift"), drift_standing.standing(app)
    found.add("Drift", str(drift.level), "drift", "level")
    found.add("Inferences watched", drift.recent, "drift", "recent")
    found.add("Test images compared with", drift.reference, "drift", "reference")
    found.add("Evidence that raises an alarm", drift.needed, "drift", "needed")
    for name, evidence in drift.evidence.items():
        found.add(f"Evidence: {name}", evidence, "drift", f"evidence.{name}")
    found.say("Without drift a model ever gets an alarm with a probability of at most 5%.")
    expected = expectation.expected_accuracy(app)
    if expected:
        found.share("Accuracy expected from confidences alone", expected.value, "drift", "expected_accuracy.value")
        found.interval("95% interval", expected.interval, "drift", "expected_accuracy.interval")
        found.add("Inferences behind it", expected.inferences, "drift", "expected_accuracy.inferences")
    if drift.alarm:
        found.alarm = True
        since, (first, last) = drift.alarm.since, drift.alarm.since_interval
        found.say(
            f"{drift_standing.in_words(drift.alarm.changes)} Since {since:%Y-%m-%d %H:%M:%S} UTC, 95% interval "
            f"{first:%H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}. The accuracy expected from confidences is withdrawn.",
            "drift",
        )
    return found


def slices_section(app: App) -> ReportSection:
    found, weak = ReportSection("Where it is wrong"), slices.find(app)
    found.add("Labelled test images", weak.tests, "slices", "test_images")
    found.add("Captured images that were labelled because drawn at random", weak.drawn, "slices", "captured_images")
    found.add("Newest inferences that shares of traffic are of", weak.traffic, "slices", "traffic")
    out = [(place, one) for place, one in enumerate(weak.slices) if one.slice.found]
    for place, one in out:
        key = f"slices.{place}"
        found.share(f"{one.slice.name}: wrong", one.slice.rate, "slices", f"{key}.error_rate")
        found.interval("95% interval", (one.slice.low, one.slice.high), "slices", f"{key}.interval")
        found.add("Images", one.slice.images, "slices", f"{key}.images")
        found.share("The rest: wrong", one.slice.rest_rate, "slices", f"{key}.rest_error_rate")
        found.share("Share of traffic", one.share, "slices", f"{key}.share_of_traffic")
        pictures = [picture for error in one.errors[:PICTURES] if (picture := png(error.data))]
        found.pictures.append(ReportPictures(f"{one.slice.name}: classified wrongly", pictures))
    found.say(
        f"{len(out)} of {len(weak.slices)} slices stand out; at most 5 in 100 that do are expected to by chance."
        if out
        else f"None of {len(weak.slices)} slices is wrong more often than the rest by more than chance.",
        "slices",
    )
    return found


def work_section(app: App) -> ReportSection:
    found, status, done = ReportSection("Reviewers' work"), overview.status(app), reviewers.totals(app)
    found.add("Captured inferences", status.captured, "status", "captured")
    found.add("Waiting for review (low-confidence)", status.pending_review, "status", "pending_review")
    found.add("Labels since training", status.labels_since_training, "status", "labels_since_training")
    for name, value, key in (
        ("Reviewers", done.reviewers, "reviewers"),
        ("Decisions", done.decisions, "decisions"),
        ("Relabelled", done.relabelled, "relabelled"),
        ("Overruled", done.overruled, "overruled"),
        ("Answers to gold images", done.gold, "gold"),
    ):
        found.add(name, value, "review totals", key)
    if done.interval:
        found.add("Right", done.right, "review totals", "right")
        found.interval("95% interval of the share", done.interval, "review totals", "interval")
    found.add("Seconds per decision, median", done.seconds, "review totals", "seconds")
    return found


def png(data: bytes) -> str | None:
    """A small copy in base64; None if the image cannot be decoded."""
    try:
        image = decode(data)
    except BadImage:
        return None
    written = io.BytesIO()
    if max(image.size) > SIDE:
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    image.save(written, "PNG")
    return base64.b64encode(written.getvalue()).decode()
