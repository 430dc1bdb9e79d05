"""Runner of the training job queue: `python -m scones_core.local.training_runner FOLDER OBJECTS`.

Holds the queue lock while there is work, and passes it to the training script: as long as either is alive, the job
counts as running.
"""

import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from scones_core.errors import SconesError, of_the_system
from scones_core.local.files import write_atomically
from scones_core.local.object_store import LocalObjectStore
from scones_core.local.training import IMPORTABLE, jobs, load_request, queue_lock, save, settle_orphans
from scones_core.ports import JobStatus, TrainingJob

POLL = 0.1  # seconds between looks at the wish to stop


def main(folder: Path, objects: LocalObjectStore) -> None:
    with queue_lock(folder, wait=True) as lock:
        settle_orphans(folder)
        while pending := [job for job in jobs(folder) if job.status is JobStatus.PENDING]:
            run(folder, objects, min(pending, key=lambda job: job.created), lock)


def run(folder: Path, objects: LocalObjectStore, job: TrainingJob, lock: IO[str]) -> None:
    """Run one job to its end, and record how it ended."""
    here = folder / job.name
    job = replace(job, status=JobStatus.IN_PROGRESS, started=datetime.now(UTC))
    save(folder, job)
    try:
        job = _ended(here, objects, job, lock)
    except SconesError as error:  # the next job is to run all the same
        job = replace(job, status=JobStatus.FAILED, failure_reason=str(error))
    except OSError as error:
        job = replace(job, status=JobStatus.FAILED, failure_reason=str(of_the_system(error)))
    save(folder, replace(job, ended=datetime.now(UTC)))


def _ended(here: Path, objects: LocalObjectStore, job: TrainingJob, lock: IO[str]) -> TrainingJob:
    """Raises SconesError, OSError."""
    stopped = (here / "stop").exists()
    code = None if stopped else _train(here, objects, lock)
    if stopped or (code != 0 and (here / "stop").exists()):
        return replace(job, status=JobStatus.STOPPED)
    if code == 0:
        return _store_artifact(here, objects, job)
    return replace(job, status=JobStatus.FAILED, failure_reason=_failure(here, code))


def _train(here: Path, objects: LocalObjectStore, lock: IO[str]) -> int:
    environment = {**os.environ, **_lay_out(here, objects)}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "scones_core.vision.train"],
        cwd=IMPORTABLE,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=[lock.fileno()],
    )
    reader = threading.Thread(target=_copy_log, args=(process.stdout, here / "log.txt"))
    reader.start()
    while process.poll() is None:
        if (here / "stop").exists():
            process.terminate()
        try:
            process.wait(POLL)
        except subprocess.TimeoutExpired:
            continue
    reader.join()
    return process.returncode


def _lay_out(here: Path, objects: LocalObjectStore) -> dict[str, str]:
    """Make the folders of SageMaker's contract; returns the SM_* variables that name them."""
    request = load_request(here.parent, here.name)
    environment = {
        "SM_MODEL_DIR": str(here / "model"),
        "SM_OUTPUT_DIR": str(here / "output"),
        "SM_HPS": json.dumps(dict(request.hyperparameters)),
    }
    for channel, key in request.channels.items():
        source = objects.path(key.rstrip("/"))
        target = here / "input" / "data" / channel
        target.parent.mkdir(parents=True, exist_ok=True)
        if key.endswith("/"):
            target.symlink_to(source, target_is_directory=True)
        else:
            target.mkdir()
            (target / source.name).symlink_to(source)
        environment[f"SM_CHANNEL_{channel.upper()}"] = str(target)
    text = json.dumps(dict(request.hyperparameters), indent=1)
    write_atomically(here / "input" / "config" / "hyperparameters.json", text.encode())
    for name in ("model", "output"):
        (here / name).mkdir()
    return environment


def _copy_log(lines: Any, path: Path) -> None:
    with path.open("a") as log, lines:
        for line in lines:
            log.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {line.rstrip()}\n")
            log.flush()


def _store_artifact(here: Path, objects: LocalObjectStore, job: TrainingJob) -> TrainingJob:
    from scones_core.vision.classifier import pack

    key = f"models/{job.name}/output/model.tar.gz"
    objects.put(key, pack(here / "model"))
    return replace(job, status=JobStatus.COMPLETED, artifact_key=key)


def _failure(here: Path, code: int | None) -> str:
    try:
        return (here / "output" / "failure").read_text().strip()
    except FileNotFoundError:
        lines = [line.partition(" ")[2] for line in (here / "log.txt").read_text().splitlines()]
        last = next((line for line in reversed(lines) if line.strip()), "")
        return _without_paths(last) or f"The training script ended with exit status {code}."


def _without_paths(text: str) -> str:
    """A sentence for the screen: files by name, without where they lie on this machine."""
    return re.sub(r"(?<![\w.])/(?:[^\s/'\"]+/)+", "", text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), LocalObjectStore(Path(sys.argv[2])))
