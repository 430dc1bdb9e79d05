"""Training jobs as separate processes that outlive the app, with SageMaker's folder layout.

<folder>/queue.lock            held by the running runner; jobs run one after another
<folder>/<job>/job.json        state
<folder>/<job>/log.txt         log, a time before each line
<folder>/<job>/stop            stop request
<folder>/<job>/input/…, model/ what the training script sees
"""

import fcntl
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from scones_core import logs
from scones_core.domain.typed import typed
from scones_core.errors import BadInput, Conflict, Damaged, NotFound, of_the_system
from scones_core.local.files import read, write_atomically
from scones_core.local.object_store import LocalObjectStore
from scones_core.ports import JobStatus, TrainingJob, TrainingRequest

JOB: TypeAdapter[TrainingJob] = TypeAdapter(TrainingJob)
REQUEST: TypeAdapter[TrainingRequest] = TypeAdapter(TrainingRequest)
IMPORTABLE = Path(__file__).resolve().parents[2]  # the folder from which `scones_core` can be imported
METRIC = re.compile(r"^(\S+) #quality_metric: (\S+?)\s*=\s*([-+.\deE]+|nan|inf)$")
log = logs.get(__name__)
NAME = re.compile(r"[a-zA-Z0-9](-?[a-zA-Z0-9]){0,62}")


class LocalTraining:
    """The queue of training jobs in `folder`."""

    def __init__(self, folder: Path, objects: LocalObjectStore) -> None:
        self._folder = folder
        self._objects = objects
        self._runner: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, request: TrainingRequest) -> TrainingJob:
        if not NAME.fullmatch(request.name):
            raise BadInput(f"“{request.name}” is not a valid job name: use up to 63 letters, digits and hyphens.")
        for channel, key in request.channels.items():
            if not next(self._objects.list(key), None):
                raise NotFound(f"The channel {channel} is empty (“{key}”): load images first.")
        try:
            (self._folder / request.name).mkdir()
        except FileExistsError:
            raise Conflict(f"A training job “{request.name}” exists already: choose another name.") from None
        job = TrainingJob(request.name, JobStatus.PENDING, datetime.now(UTC), dict(request.hyperparameters))
        write_atomically(self._folder / request.name / "request.json", REQUEST.dump_json(request, indent=1))
        save(self._folder, job)
        self._spawn_runner()
        return job

    def describe(self, name: str) -> TrainingJob:
        if not NAME.fullmatch(name) or not (self._folder / name / "job.json").exists():
            raise NotFound(f"No training job “{name}”.")
        job = load(self._folder, name)
        if not job.status.ended:
            self._recover()
            job = load(self._folder, name)
        return replace(job, metrics=_metrics(self.logs(name), job.started))

    def list(self) -> Sequence[TrainingJob]:
        self._recover()
        return sorted(jobs(self._folder), key=lambda job: job.created, reverse=True)

    def stop(self, name: str) -> None:
        if not self.describe(name).status.ended:
            (self._folder / name / "stop").touch()

    def logs(self, name: str) -> Sequence[str]:
        try:
            return (self._folder / name / "log.txt").read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def check(self) -> str:
        """Whether the jobs' files can be read. Raises Damaged."""
        found = [_read(self._folder, path.parent.name) for path in sorted(self._folder.glob("*/job.json"))]
        return f"{len(found)} job{'s' * (len(found) != 1)} can be read"

    def _recover(self) -> None:
        """Clean up after a killed runner, and start a runner if jobs are waiting."""
        try:
            with queue_lock(self._folder, wait=False) as free:
                if free:
                    settle_orphans(self._folder)
        except OSError as error:  # as on a full disk: the next look does it
            log.warning("training jobs not recovered", error=str(of_the_system(error)))
            return
        if free and any(job.status is JobStatus.PENDING for job in jobs(self._folder)):
            self._spawn_runner()

    def _spawn_runner(self) -> None:
        if self._runner and self._runner.poll() is None:  # it takes the next job too, or `_recover` sees that it ended
            return
        folders = [str(self._folder.resolve()), str(self._objects.folder.resolve())]
        with (self._folder / "runner.log").open("ab") as log:
            self._runner = subprocess.Popen(
                [sys.executable, "-m", "scones_core.local.training_runner", *folders],
                cwd=IMPORTABLE,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # closing the app or its terminal leaves training alone
            )
        threading.Thread(target=self._runner.wait, daemon=True).start()


@contextmanager
def queue_lock(folder: Path, *, wait: bool) -> Iterator[Any]:
    """Yield the lock's file once held, or None when it is held elsewhere and `wait` is False."""
    with (folder / "queue.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield None
        else:
            yield lock


def jobs(folder: Path) -> list[TrainingJob]:
    return [load(folder, path.parent.name) for path in folder.glob("*/job.json")]


def load(folder: Path, name: str) -> TrainingJob:
    """The job as described; one whose file is damaged has failed, and says so."""
    try:
        return _read(folder, name)
    except Damaged as error:
        changed = datetime.fromtimestamp((folder / name / "job.json").stat().st_mtime, UTC)
        return TrainingJob(name, JobStatus.FAILED, changed, ended=changed, failure_reason=str(error))


def _read(folder: Path, name: str) -> TrainingJob:
    return typed(JOB, read(folder / name / "job.json"), f"training/{name}/job.json", "Start the job again.")


def load_request(folder: Path, name: str) -> TrainingRequest:
    """The job's request. Raises Damaged."""
    return typed(REQUEST, read(folder / name / "request.json"), f"training/{name}/request.json", "Start the job again.")


def save(folder: Path, job: TrainingJob) -> None:
    write_atomically(folder / job.name / "job.json", JOB.dump_json(replace(job, metrics=()), indent=1))


def settle_orphans(folder: Path) -> None:
    """With the queue lock held: no job can be running, so those that say so were killed."""
    for job in jobs(folder):
        if job.status is JobStatus.IN_PROGRESS:
            reason = "The training process was killed: start the job again."
            save(folder, replace(job, status=JobStatus.FAILED, ended=datetime.now(UTC), failure_reason=reason))


def _metrics(lines: Sequence[str], started: datetime | None) -> list[tuple[float, str, float]]:
    found = (METRIC.match(line) for line in lines)
    return [
        ((datetime.fromisoformat(m[1]) - started).total_seconds(), m[2], float(m[3])) for m in found if m and started
    ]
