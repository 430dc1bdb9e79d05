"""The app as `tests.browser` serves it, in a process forked from one that has its libraries imported already.

That saves each server about four seconds of processor time.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from tests.browser import APP, ROOT, environment_of, free_port, options_of, until_healthy

_PRELOADED = [
    "altair",
    "alembic.command",
    "pandas",
    "pyarrow",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.linear_model",
    "scones_core.bootstrap",
    "scones_core.services.demo",
    "scones_core.services.report",
    "streamlit.web.cli",
]
_processes = get_context("forkserver")
_processes.set_forkserver_preload(_PRELOADED)


@contextmanager
def served(home: Path, script: Path = APP) -> Iterator[str]:
    """As `tests.browser.served`."""
    with server(home, script) as (address, _process):
        yield address


@contextmanager
def server(home: Path, script: Path = APP, port: int | None = None) -> Iterator[tuple[str, int]]:
    """As `tests.browser.server`."""
    port = port or free_port()
    process = _processes.Process(target=_run, args=(script, port, environment_of(home)))
    process.start()
    try:
        yield until_healthy(port, lambda: process.exitcode is not None), process.pid or 0
    finally:
        process.terminate()
        process.join(30)


def _run(script: Path, port: int, environment: Mapping[str, str]) -> None:
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    sys.argv = ["streamlit", "run", str(script), *options_of(port)]
    from streamlit.web.cli import main

    main(sys.argv[1:])
