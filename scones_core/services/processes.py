"""App processes on a home, and the health of their background threads, for `doctor`.

Each process writes `processes/<pid>.json` in the home every few seconds. An old file belongs to a process that has
ended, or hangs if it is still alive.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ValidationError

from scones_core import logs
from scones_core.errors import SconesError
from scones_core.services.app import App
from scones_core.services.background import Loop

EVERY = 5.0  # seconds
SILENT = timedelta(minutes=1)
FOLDER = "processes"

log = logs.get(__name__)


class Threads(BaseModel):
    """Background threads of a process. ended: those no longer alive; failing: loops whose last step failed, and why."""

    time: datetime
    alive: int
    ended: list[str]
    failing: dict[str, str]


def threads(app: App) -> Threads:
    """The state of this process."""
    loops = app.background.loops()
    alive = {**app.backend.threads(), **{name: loop.alive for name, loop in loops.items()}}
    return Threads(
        time=datetime.now(UTC),
        alive=sum(alive.values()),
        ended=[name for name, is_alive in alive.items() if not is_alive],
        failing={name: loop.failure for name, loop in loops.items() if loop.failure},
    )


def note(app: App) -> None:
    """Write the state of this process for others."""
    now = threads(app)
    if now.ended:
        log.error("threads have ended", threads=now.ended)
    file = app.settings.home / FOLDER / f"{os.getpid()}.json"
    file.parent.mkdir(exist_ok=True)
    beside = file.with_suffix(".tmp")
    beside.write_text(now.model_dump_json(), encoding="utf-8")
    beside.replace(file)


def watch(app: App) -> Loop:
    """Keep writing the state of this process until the app is closed."""
    return app.background.repeat("processes", EVERY, lambda: note(app))


def check(app: App) -> str:
    """Summary of the processes on the home. Raises SconesError if one is unhealthy."""
    here = threads(app)
    notes = {os.getpid(): here}
    for file in sorted((app.settings.home / FOLDER).glob("*.json")):
        if file.stem.isdigit() and int(file.stem) != os.getpid():
            _read(file, notes)
    wrong = [text for pid, found in notes.items() if (text := _wrong(pid, found))]
    if wrong:
        raise SconesError(" ".join(wrong))
    others = len(notes) - 1
    return f"{here.alive} threads running; {others or 'no'} other app process{'es' * (others != 1)} on this home"


def _read(file: Path, notes: dict[int, Threads]) -> None:
    """Read the file of a live process; remove that of an ended one."""
    if not _lives(int(file.stem)):
        file.unlink(missing_ok=True)
        return
    try:
        notes[int(file.stem)] = Threads.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        log.warning("process file cannot be read", file=file.name)


def _wrong(pid: int, found: Threads) -> str:
    here = f"process {pid}"
    if found.ended:
        return f"In {here} {_listed(found.ended)} ended: see {logs.FILE} in the home, and restart the app."
    if datetime.now(UTC) - found.time > SILENT:
        return f"No sign of life from {here} since {found.time:%H:%M} UTC: restart it if its pages hang."
    if found.failing:
        why = "; ".join(found.failing.values())
        return f"In {here} {_listed(list(found.failing))} failed and will be retried: {why}."
    return ""


def _listed(names: list[str]) -> str:
    return f"{', '.join(f'“{name}”' for name in names)} {'has' if len(names) == 1 else 'have'}"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True
