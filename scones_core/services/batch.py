"""Batches: every image under a prefix in one execution, fanned out by a distributed Map."""

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from scones_core import logs
from scones_core.bounded_map import bounded_map
from scones_core.domain.typed import reason
from scones_core.errors import NotFound, SconesError
from scones_core.ports import Execution, ExecutionStatus
from scones_core.services import classification, deployment
from scones_core.services.app import App, Progress, silent

MACHINE = "classify_batch"
# Key prefixes. On AWS their objects expire, and the state machine may write under the first only: infra/template.yaml.
RESULTS, IMAGES = "batch-results/", "batches/"
POLL = 0.2  # seconds


class S3Object(BaseModel):
    s3_key: str


class _Output(BaseModel):
    """Output of a batch's last state (lambdas/summarize_batch)."""

    accepted: int = 0
    low_confidence: int = 0
    errors: int = 0
    low_confidence_keys: tuple[str, ...] = ()
    error_keys: tuple[str, ...] = ()
    summary: S3Object | None = None


@dataclass(frozen=True)
class Batch:
    """State and results of a batch. Lists the first keys only; the object `summary_key` has all.

    While it runs, accepted, low_confidence and errors are 0 and `done` of `images` have been classified.
    """

    name: str
    status: ExecutionStatus
    images: int
    done: int
    accepted: int = 0
    low_confidence: int = 0
    errors: int = 0
    low_confidence_keys: Sequence[str] = ()
    error_keys: Sequence[str] = ()
    summary_key: str | None = None
    seconds: float | None = None
    error: str | None = None


@logs.use_case
def start(app: App, *, prefix: str | None = None, sample: int | None = None, split: str | None = None) -> str:
    """Start a batch over the images under `prefix`, over a sample of the dataset, or over all of it; returns its name.

    split : pool or test; default: the pool, or the test images if there is none.
    Raises NotFound (no endpoint, no object under the prefix), BadInput.
    """
    deployment.get_endpoint(app)
    name = f"batch-{uuid.uuid4().hex[:12]}"
    if prefix is None:
        prefix = _sampled(app, name, sample, split) if sample is not None else _all(app, name, split)
    if next(app.backend.objects.list(prefix), None) is None:
        raise NotFound(f"No objects under “{prefix}” in the bucket: choose another prefix.")
    results = f"{RESULTS}{name}"
    step_input = {"s3_bucket": app.backend.objects.bucket, "s3_prefix": prefix, "results_prefix": results}
    app.backend.workflows.start(MACHINE, name, step_input)
    return name


def _sampled(app: App, name: str, count: int, split: str | None) -> str:
    """Copy randomly drawn images to a new prefix; they keep their names."""
    return _copied(app, name, dict.fromkeys(classification.sample_keys(app, count, split=split)))


def _all(app: App, name: str, split: str | None) -> str:
    """The folder of the split, or a new prefix if that holds images of other dataset versions too."""
    folder = f"{classification.sent_split(app, split)}/"
    keys = [image.key for image in classification.sent_images(app, split)]
    lying = {info.key for info in app.backend.objects.list(folder)}
    return folder if lying == set(keys) else _copied(app, name, keys)


def _copied(app: App, name: str, keys: Iterable[str]) -> str:
    objects, prefix = app.backend.objects, f"{IMAGES}{name}/images/"
    copies = bounded_map(lambda key: (prefix + key.rsplit("/", 1)[-1], objects.get(key)), keys, objects.at_once)
    objects.put_many(copies)
    return prefix


def describe(app: App, name: str) -> Batch:
    """The current state of a batch. Raises NotFound."""
    execution, runs = app.backend.workflows.describe(name), app.backend.workflows.map_runs(name)
    counts = runs[-1]["itemCounts"] if runs else {}
    done = sum(counts.get(state, 0) for state in ("succeeded", "failed", "timedOut", "aborted"))
    batch = Batch(name, execution.status, counts.get("total", 0), done, error=execution.error)
    return _ended(execution, batch) if execution.stopped else batch


def _ended(execution: Execution, batch: Batch) -> Batch:
    assert execution.stopped is not None
    seconds = (execution.stopped - execution.started).total_seconds()
    try:
        told = _Output.model_validate(execution.output if execution.status is ExecutionStatus.SUCCEEDED else {})
    except ValidationError as error:  # a custom state machine of this name
        return replace(batch, seconds=seconds, error=f"Its output is not a batch summary ({reason(error)}).")
    return replace(
        batch,
        **told.model_dump(exclude={"summary"}),
        summary_key=told.summary.s3_key if told.summary else None,
        seconds=seconds,
    )


def map_runs(app: App, name: str) -> Sequence[Mapping[str, Any]]:
    """The Map Runs of any execution, as DescribeMapRun tells of them. Raises NotFound."""
    return app.backend.workflows.map_runs(name)


def wait(app: App, name: str, *, progress: Progress = silent) -> Batch:
    """Wait for a batch to end; stops it if interrupted. Raises SconesError if it fails."""
    try:
        while (batch := describe(app, name)).status is ExecutionStatus.RUNNING:
            progress(batch.done, batch.images or None, "images classified")
            time.sleep(POLL)
    except KeyboardInterrupt:
        stop(app, name)
        raise
    progress(batch.done, batch.images, "images classified")
    if batch.status is not ExecutionStatus.SUCCEEDED:
        raise SconesError(f"The batch {name} ended as {batch.status} ({batch.error}): see its history.")
    return batch


@logs.use_case
def stop(app: App, name: str) -> None:
    """Stop a running batch; images classified so far stay captured."""
    app.backend.workflows.stop(name, cause="stopped by a user")


def batches(app: App, *, limit: int = 20) -> list[Batch]:
    """Batches, newest first."""
    names = [execution.name for execution in app.backend.workflows.list(MACHINE, limit=limit)]
    return list(bounded_map(lambda name: describe(app, name), names, app.backend.objects.at_once))
