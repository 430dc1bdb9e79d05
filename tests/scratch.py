"""Where tests put their files: in memory where there is room, for they write 100,000 small ones."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30  # bytes; a run of all tests has used less than one GiB
_failed = False


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or "TMPDIR" in os.environ:  # a worker inherits the folder
        return
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM:
        folder = tempfile.mkdtemp(prefix="scones-tests-", dir=_MEMORY)
        Path(folder).chmod(0o755)  # PostgreSQL runs as a user of its own
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        atexit.register(_remove, folder)  # after what multiprocessing, imported later, does at the end


def pytest_sessionfinish(exitstatus: int) -> None:
    global _failed
    _failed = exitstatus == pytest.ExitCode.TESTS_FAILED


def _remove(folder: str) -> None:
    """The folder; files of tests that failed stay."""
    if not _failed:
        shutil.rmtree(folder, ignore_errors=True)
