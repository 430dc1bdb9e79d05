"""The commands on evidence: audits, drift, threshold."""

import hashlib
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scones_core import evidence_output
from scones_core.cli_output import Document, time_of
from scones_core.domain.audit_draw import AuditKind
from scones_core.errors import BadInput, NotFound
from scones_core.services import (
    App,
    audit_draws,
    audit_plans,
    audits,
    deployment,
    drift_watch,
    monitoring,
    promises,
    report,
    slices,
    threshold,
    training,
)
from scones_core.terminal import Terminal

ACTOR = "command line"


def _audit_start(app: App, args: Namespace, _terminal: Terminal) -> Document:
    started = audit_draws.start(
        app,
        args.labels,
        kind=AuditKind(args.kind),
        since=time_of(args.since),
        max_risk=args.max_risk,
        by=args.reviewer,
        seed=args.seed,
    )
    return evidence_output.audit(app, audits.audited(app, started.id))


def _audit(app: App, args: Namespace, _terminal: Terminal) -> Document:
    return evidence_output.audit(app, audits.audited(app, args.id))


def _audit_plan(app: App, args: Namespace, _terminal: Terminal) -> Document:
    if args.extend is None:
        [plan] = audit_plans.new(app, [args.half_width], since=time_of(args.since))
    else:
        [plan] = audit_plans.extension(app, audits.audited(app, args.extend), [args.half_width])
    return asdict(plan)


def _audit_extend(app: App, args: Namespace, _terminal: Terminal) -> Document:
    extended = audit_draws.extend(app, args.labels, id=args.id, by=args.reviewer, seed=args.seed)
    return evidence_output.audit(app, audits.audited(app, extended.id))


def _drift(app: App, args: Namespace, _terminal: Terminal) -> Document:
    if args.acknowledge:
        drift_watch.acknowledge(app, by=args.reviewer)
    return evidence_output.drift(app)


def _threshold(app: App, args: Namespace, _terminal: Terminal) -> Document:
    if args.max_risk is not None:
        return _proposed(app, args.max_risk, args.confidence)
    if args.set is not None:
        monitoring.set_threshold(app, args.set, actor=ACTOR)
    if args.take_back:
        threshold.take_back(app, actor=ACTOR)
    if args.history:
        return {"changes": [asdict(change) for change in threshold.changes(app)]}
    value = monitoring.threshold(app)
    if deployment.endpoint(app) is None:
        return {"threshold": value, "coverage": None, "risk": None, "risk_upper_bound": None, "labels_used": 0}
    return asdict(monitoring.threshold_figures(app, value, level=args.confidence))


def _proposed(app: App, max_risk: float, level: float) -> Document:
    """From the test images, and under `production` from audits; an error only if neither promises anything."""
    production: Document | None
    try:
        production = evidence_output.promise(promises.production(app, max_risk=max_risk, level=level))
    except NotFound:
        production = None
    try:
        found: dict[str, Any] = asdict(
            monitoring.propose_threshold(app, max_risk=max_risk, level=level, held_out=monitoring.held_out_answers(app))
        )
    except NotFound:
        if production is None:
            raise
        found = dict.fromkeys(("threshold", "coverage", "risk", "risk_upper_bound", "labels_used"))
    return {**found, "about": "test images", "production": production}


def _model(app: App, args: Namespace, _terminal: Terminal) -> Document:
    version = training.model(app, args.id) if args.id else deployment.champion(app)
    return evidence_output.model(app, version or training.model(app))


def _slices(app: App, args: Namespace, _terminal: Terminal) -> Document:
    return evidence_output.slices(slices.find(app, args.id))


def _report(app: App, args: Namespace, _terminal: Terminal) -> Document:
    data = report.report(app)
    try:
        Path(args.out).write_bytes(data)
    except OSError as error:
        raise BadInput(f"“{args.out}” cannot be written ({error.strerror}): name another file with --out.") from None
    return {"file": args.out, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


COMMANDS: dict[str, Callable[[App, Namespace, Terminal], Document]] = {
    "audit start": _audit_start,
    "audit": _audit,
    "audit extend": _audit_extend,
    "audit plan": _audit_plan,
    "drift": _drift,
    "model": _model,
    "report": _report,
    "slices": _slices,
    "threshold": _threshold,
}
