"""The app as `tests.browser` serves it, in a process forked from one that has its libraries imported already.

That saves each server about two seconds of processor time.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from multiprocessing import get_context

from tests import browser

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


class Forked:
    """A process of `streamlit`, as `tests.browser.Started`."""

    def __init__(self, options: Sequence[str], environment: Mapping[str, str]) -> None:
        self._process = _processes.Process(target=_run, args=(options, environment))
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def wait(self, timeout: float) -> int | None:
        self._process.join(timeout)
        return self._process.exitcode


served, server = partial(browser.served, start=Forked), partial(browser.server, start=Forked)


def _run(options: Sequence[str], environment: Mapping[str, str]) -> None:
    os.chdir(browser.ROOT)
    os.environ.clear()
    os.environ.update(environment)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    sys.argv = ["streamlit", *options]
    from streamlit.web.cli import main

    main(sys.argv[1:])
