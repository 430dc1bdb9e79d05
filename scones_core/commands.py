"""The commands: one function each, from arguments to a JSON value."""

import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scones_core import cli_output, evidence_commands, named_files, review_commands
from scones_core.cli_output import Document
from scones_core.domain.datasets import TEST
from scones_core.domain.drift import SimulatedDrift
from scones_core.errors import BadInput, SconesError
from scones_core.services import (
    App,
    batch,
    capture,
    classification,
    demo,
    deployment,
    doctor,
    etl,
    likeness,
    monitoring,
    notification,
    overview,
    registration,
    retraining,
    traffic,
    training,
)
from scones_core.terminal import Terminal

REASONS = 5  # reasons of quarantined lines to print
ACTOR = "command line"


def run(app: App, arguments: Namespace, terminal: Terminal) -> Document:
    """Run the command named in the arguments. Raises SconesError."""
    started = time.monotonic()
    result = COMMANDS[arguments.command](app, arguments, terminal)
    with suppress(SconesError):  # an invalid channel does not affect the result; `doctor` reports it
        notification.notify_failures(app)
    if "seconds" in result and result["seconds"] is None:
        return {**result, "seconds": round(time.monotonic() - started, 3)}
    return result


def _etl(app: App, args: Namespace, terminal: Terminal) -> Document:
    classes = _names(args.classes)
    share = args.pool_share
    version = etl.load(app, args.source, classes=classes, pool_share=share, progress=terminal.progress)
    return cli_output.dataset(version)


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",")] if text else None


def _train(app: App, args: Namespace, terminal: Terminal) -> Document:
    job = training.start(app, dataset=args.dataset, seed=args.seed)
    registration.wait(app, job.name, on_log=terminal.line)
    return cli_output.model(app, training.model_of_job(app, job.name))


def _deploy(app: App, args: Namespace, _terminal: Terminal) -> Document:
    registration.register_ended(app)
    endpoint = deployment.deploy(app, args.model, capture_percentage=args.capture_percentage, actor=ACTOR)
    return cli_output.endpoint(endpoint)


def _classify(app: App, args: Namespace, terminal: Terminal) -> Document:
    if not args.paths and args.sample is None:
        raise BadInput("Nothing to classify: name image files, or use --sample N.")
    keys = [classification.upload(app, Path(path).name, named_files.read(path)) for path in args.paths]
    split = None
    if args.sample is not None:
        split = _split(app, args.split, terminal)
        keys += classification.sample_keys(app, args.sample, split=split)
    found = classification.classify(app, keys, workers=args.workers, progress=terminal.progress)
    return {**cli_output.classified(found), "split": split}


def _split(app: App, wanted: str | None, terminal: Terminal) -> str:
    """The split to draw images from; prints a note if it is the test split."""
    split = classification.sent_split(app, wanted)
    if split == TEST and wanted is None:
        terminal.line("The dataset has no pool, so test images are sent.")
    return split


def _batch(app: App, args: Namespace, terminal: Terminal) -> Document:
    split = None if args.prefix is not None else _split(app, args.split, terminal)
    name = batch.start(app, prefix=args.prefix, sample=args.sample, split=split)
    return {**cli_output.batch(batch.wait(app, name, progress=terminal.progress)), "split": split}


def _traffic(app: App, args: Namespace, terminal: Terminal) -> Document:
    _split(app, None, terminal)
    sent = traffic.send(app, args.count, rate=args.rate, drift=SimulatedDrift(args.drift), progress=terminal.progress)
    return asdict(sent)


def _history(app: App, args: Namespace, _terminal: Terminal) -> Document:
    return {"execution": args.name, "events": list(classification.history(app, args.name))}


def _ingest(app: App, args: Namespace, terminal: Terminal) -> Document:
    if args.paths:
        names, found = _names(args.classes), capture.Ingested(0, 0, 0)
        named = named_files.by_endpoint(named_files.captures(args.paths, terminal), args.endpoint)
        for endpoint, paths in named.items():
            files, progress = (named_files.read(path) for path in paths), terminal.progress
            found += capture.ingest_files(app, files, classes=names, endpoint=endpoint, progress=progress)
        if found.unnamed:
            terminal.line(
                f"The classes of {found.unnamed} imported inferences have no names: ingest their files again with "
                "--classes a,b, in the order of their probabilities."
            )
    else:
        found = capture.ingest(app, progress=terminal.progress)
    if found.quarantined:
        reasons = Counter(row["reason"] for row in capture.put_aside(app)).most_common(REASONS)
        terminal.line("Quarantined lines of all files, by reason (listed on Monitor):")
        for reason, count in reasons:
            terminal.line(f"{count:>7,}  {reason}")
    return {**asdict(found), "seconds": None}


def _monitor(app: App, args: Namespace, _terminal: Terminal) -> Document:
    found = monitoring.figures(app, since=cli_output.time_of(args.since), at=args.threshold, model=args.model)
    return cli_output.figures(found, capture.makers(app))


def _retrain(app: App, args: Namespace, terminal: Terminal) -> Document:
    registration.register_ended(app)
    found = retraining.retrain(app, min_labels=args.min_labels, seed=args.seed, on_log=terminal.line)
    return cli_output.retrained(found)


def _promote(app: App, args: Namespace, _terminal: Terminal) -> Document:
    registration.register_ended(app)
    before = deployment.champion(app)
    endpoint = deployment.promote(app, args.model, actor=ACTOR, reason=args.reason)
    return {**cli_output.endpoint(endpoint), "previous": before.id if before else None}


def _reject(app: App, args: Namespace, _terminal: Terminal) -> Document:
    registration.register_ended(app)
    version = deployment.reject(app, args.model, actor=ACTOR, reason=args.reason)
    return {"model": version.id, "approval": str(version.approval), "reason": version.rejection}


def _rollback(app: App, _args: Namespace, _terminal: Terminal) -> Document:
    before = deployment.champion(app)
    endpoint = deployment.rollback(app, actor=ACTOR)
    return {**cli_output.endpoint(endpoint), "previous": before.id if before else None}


def _undeploy(app: App, _args: Namespace, _terminal: Terminal) -> Document:
    before = deployment.get_endpoint(app)
    deployment.delete(app, actor=ACTOR)
    return {"endpoint": None, "previous": before.config.model}


_DEMO_OUTPUT: dict[demo.Stage, Callable[[Any], Any]] = {
    demo.Stage.ETL: cli_output.dataset,
    demo.Stage.DEPLOY: cli_output.endpoint,
    demo.Stage.CLASSIFY: cli_output.classified,
    demo.Stage.INGEST: asdict,
    demo.Stage.MONITOR: cli_output.figures,
    demo.Stage.REVIEW: lambda found: {"decisions": [asdict(one) for one in found], "reviewed": len(found)},
    demo.Stage.RETRAIN: cli_output.retrained,
    demo.Stage.PROMOTE: cli_output.endpoint,
}


def _demo(app: App, args: Namespace, terminal: Terminal) -> Document:
    stages: dict[str, Any] = {}
    running = demo.run(
        app,
        source=args.source,
        images=args.images,
        replace=args.replace or _confirmed(app, terminal),
        progress=terminal.progress,
        on_log=terminal.line,
    )
    before = time.monotonic()
    for done in running:
        took, before = time.monotonic() - before, time.monotonic()
        terminal.line(f"{done.stage} done in {took:.1f} s")
        result = (
            cli_output.model(app, done.result)
            if done.stage is demo.Stage.TRAIN
            else _DEMO_OUTPUT[done.stage](done.result)
        )
        stages[str(done.stage)] = {"seconds": round(took, 3), **result}
    return {**stages, "seconds": None}


def _confirmed(app: App, terminal: Terminal) -> bool:
    """Whether the user at the terminal agrees that the demo replaces the model in service."""
    serving = deployment.endpoint(app)
    if serving is None or not terminal.asks:
        return False
    return terminal.yes(f"{serving.config.model} is in service. Replace it and the current dataset with the demo's?")


def _register(app: App, args: Namespace, _terminal: Terminal) -> Document:
    if args.job:
        registration.try_again(app, args.job)
    registration.register_ended(app, only=args.job)
    found = training.records(app).values()
    rows = [{"training_job": r.name, "state": str(r.state), "failure": r.failure} for r in found]
    return {"jobs": [row for row in rows if args.job in (None, row["training_job"])]}


def _status(app: App, _args: Namespace, _terminal: Terminal) -> Document:
    return asdict(overview.status(app))


def _doctor(app: App, _args: Namespace, _terminal: Terminal) -> Document:
    return {"checks": [asdict(check) for check in doctor.checks(app)]}


COMMANDS: dict[str, Callable[[App, Namespace, Terminal], Document]] = {
    "etl": _etl,
    "train": _train,
    "register": _register,
    "deploy": _deploy,
    "classify": _classify,
    "batch": _batch,
    "traffic": _traffic,
    "history": _history,
    "ingest": _ingest,
    "embed": lambda app, _args, terminal: asdict(likeness.update(app, progress=terminal.progress)),
    "monitor": _monitor,
    **evidence_commands.COMMANDS,
    **review_commands.COMMANDS,
    "retrain": _retrain,
    "promote": _promote,
    "reject": _reject,
    "rollback": _rollback,
    "undeploy": _undeploy,
    "demo": _demo,
    "status": _status,
    "doctor": _doctor,
}
