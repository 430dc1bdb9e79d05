"""Executions of the single-image state machine, one per image."""

import hashlib
import json
import random
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from scones_core import logs
from scones_core.bounded_map import bounded_map
from scones_core.domain.datasets import POOL, TEST, LabelledImage
from scones_core.domain.inference_filter import class_name as class_name
from scones_core.errors import BadImage, BadInput, NotFound
from scones_core.ports import Execution, ExecutionStatus
from scones_core.services import deployment, etl
from scones_core.services.app import App, Progress, silent
from scones_core.services.attribution import Makers
from scones_core.vision.images import decode

MACHINE = "classify_image"
LOW_CONFIDENCE = "THRESHOLD_CONFIDENCE_NOT_MET"
MAX_UPLOAD = 5_000_000  # bytes


@dataclass(frozen=True)
class Classified:
    """One execution and its prediction. probabilities: one per class; empty if there is no prediction."""

    name: str
    status: str
    error: str | None
    image: str
    prediction: str | None
    confidence: float | None
    probabilities: tuple[float, ...]


def sample_keys(app: App, count: int, *, split: str | None = None, seed: int | None = None) -> list[str]:
    """Keys of `count` images of the current dataset in random order, repeated if there are fewer.

    split : as for `sent_split`. Raises BadInput, NotFound.
    """
    if count < 1:
        raise BadInput(f"{count} images cannot be drawn: choose at least 1.")
    keys = [image.key for image in sent_images(app, split)]
    random.Random(seed).shuffle(keys)
    return [keys[i % len(keys)] for i in range(count)]


def sent_split(app: App, split: str | None = None) -> str:
    """The split to send: `split`, or by default the pool, or the test images if there is none.

    Raises BadInput if `split` is neither pool nor test, NotFound if the dataset has no pool.
    """
    dataset = etl.get(app)
    if split not in (None, POOL, TEST):
        raise BadInput(f"Images of the split “{split}” cannot be sent: choose {POOL} or {TEST}.")
    if split == POOL and not dataset.pool:
        raise NotFound(f"Dataset version {dataset.id} has no pool: load it with --pool-share 0.2, or send test images.")
    return split or dataset.sent_split


def sent_images(app: App, split: str | None = None) -> list[LabelledImage]:
    """The images to send through the workflow. split : as for `sent_split`."""
    return etl.images(app, etl.get(app).id, sent_split(app, split))


@logs.use_case
def upload(app: App, name: str, data: bytes) -> str:
    """Store a user's image and return its key. Raises BadInput if it is empty, too large, or not an image."""
    if not 0 < len(data) <= MAX_UPLOAD:
        raise BadInput(f"“{name}” has {len(data):,} bytes: choose an image of at most {MAX_UPLOAD // 1_000_000} MB.")
    try:
        decode(data)
    except BadImage as error:
        raise BadImage(f"“{name}”: {error}") from None
    safe = re.sub(r"[^\w.-]+", "_", PurePosixPath(name).name).lstrip(".")[-80:] or "image"
    key = f"uploads/{hashlib.sha256(data).hexdigest()[:12]}-{safe}"
    app.backend.objects.put(key, data)
    return key


def start(app: App, key: str) -> Execution:
    """Start an execution for one image of the bucket."""
    deployment.get_endpoint(app)
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", PurePosixPath(key).stem)[:50]
    step_input = {"image_data": "", "s3_bucket": app.backend.objects.bucket, "s3_key": key}
    return app.backend.workflows.start(MACHINE, _named(stem), step_input)


@logs.use_case
def classify(
    app: App,
    keys: Iterable[str],
    *,
    workers: int = 4,
    total: int | None = None,
    progress: Progress = silent,
    go_on: Callable[[], bool] = lambda: True,
) -> list[Classified]:
    """Run one execution per image, at most `workers` of them at a time; results in the order of `keys`.

    keys : may be a generator that sets the pace; `total` is then its length.
    go_on : called before each image; once it is False, no further execution starts.
    """
    total = len(keys) if isinstance(keys, Sequence) else total
    names, running = list[str](), set[str]()
    for key in keys:
        if not go_on():
            break
        names.append(start(app, key).name)
        running.add(names[-1])
        while len(running) >= max(1, workers):
            running = _still_running(app, running)
            progress(len(names) - len(running), total, "images classified")
    while running:
        running = _still_running(app, running)
        progress(len(names) - len(running), total, "images classified")
    return results(app, [describe(app, name) for name in names])


@logs.use_case
def run_again(app: App, execution: Execution) -> Execution:
    """Start another execution of the same state machine with the same input."""
    stem = re.sub(r"-[0-9a-f]{12}$", "", execution.name)[:60]
    return app.backend.workflows.start(execution.machine, _named(stem), execution.input)


def _named(stem: str) -> str:
    """A name that no other execution has."""
    return f"{stem}-{uuid.uuid4().hex[:12]}"


def _still_running(app: App, names: Iterable[str]) -> set[str]:
    running = {name for name in names if describe(app, name).status is ExecutionStatus.RUNNING}
    if running:
        time.sleep(0.005)
    return running


def describe(app: App, name: str) -> Execution:
    return app.backend.workflows.describe(name)


def executions(
    app: App, *, status: ExecutionStatus | None = None, limit: int = 50, before: str | None = None
) -> Sequence[Execution]:
    """Executions, newest first."""
    return app.backend.workflows.list(status=status, limit=limit, before=before)


SEARCHED = 1_000  # newest executions, in a search


def search(
    app: App,
    *,
    status: ExecutionStatus | None = None,
    name: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
) -> Sequence[Execution]:
    """Executions, newest first, whose name contains `name` (in any case), started in [since, until).

    A search reads the `SEARCHED` newest executions of that status.
    """
    if not name and since is None and until is None:
        return executions(app, status=status, limit=limit)
    found = (
        one
        for one in executions(app, status=status, limit=SEARCHED)
        if name.lower() in one.name.lower()
        and (since is None or one.started >= since)
        and (until is None or one.started < until)
    )
    return list(islice(found, limit))


def history(app: App, name: str) -> Sequence[Mapping[str, Any]]:
    """Events of an execution, as Step Functions returns them."""
    return app.backend.workflows.history(name)


def definition(app: App, execution: Execution) -> Mapping[str, Any]:
    """The definition an execution was started with; if unknown, the current one of its machine."""
    try:
        return app.backend.workflows.definition_of(execution.name)
    except NotFound:
        return app.backend.machines.definition(execution.machine)


def results(app: App, executions: Sequence[Execution]) -> list[Classified]:
    """The executions' predictions, in their order; histories are read side by side."""
    makers = Makers(app)
    return list(bounded_map(lambda one: classified(app, one, makers), executions, app.backend.objects.at_once))


def classified(app: App, execution: Execution, makers: Makers | None = None) -> Classified:
    """An execution's prediction, in the class names of the model that served while it ran.

    makers : pass it when calling for many executions.
    """
    probabilities = _probabilities(execution, lambda: history(app, execution.name))
    confidence = max(probabilities, default=None)
    index = probabilities.index(confidence) if confidence is not None else None
    return Classified(
        name=execution.name,
        status=str(execution.status),
        error=execution.error,
        image=str(execution.input.get("s3_key", "")) if isinstance(execution.input, dict) else "",
        prediction=None
        if index is None
        else class_name(_class_names(app, execution, len(probabilities), makers), index),
        confidence=confidence,
        probabilities=probabilities,
    )


def _class_names(app: App, execution: Execution, classes: int, makers: Makers | None) -> Sequence[str]:
    ended = execution.stopped or execution.started
    found = (makers or Makers(app)).class_names(app.settings.endpoint, execution.started, ended, classes)
    return found or ()


def class_names(app: App) -> tuple[str, ...]:
    """Class names of the model in service, in the order of its probabilities; without one, those of the dataset."""
    champion = deployment.champion(app)
    if champion:
        return champion.classes
    dataset = etl.current(app)
    return dataset.classes if dataset else ()


def _probabilities(execution: Execution, events: Any) -> tuple[float, ...]:
    """From the output; for a failed execution, from the last state with inferences in its output."""
    found = _inferences(execution.output)
    if found or execution.error != LOW_CONFIDENCE:
        return found
    for event in reversed(events()):
        details = event.get("stateExitedEventDetails") or {}
        with suppress(ValueError, RecursionError):  # an output too long for the history, or too deep
            if found := _inferences(json.loads(details.get("output", "null"))):
                return found
    return ()


class _Body(BaseModel):
    inferences: tuple[Annotated[float, Field(ge=0, le=1, strict=True)], ...]


class _Output(BaseModel):
    body: _Body


def _inferences(output: Any) -> tuple[float, ...]:
    """From the output of a classifying machine; otherwise None."""
    try:
        return _Output.model_validate(output).body.inferences
    except ValidationError:
        return ()
