"""A PostgreSQL of our own for the tests: a fresh cluster on loopback, gone afterwards."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def programs() -> Path:
    """Where initdb and postgres lie. Skips the test where there are none; on CI that is a failure."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if folders:
        return folders[0]
    missing = "PostgreSQL is not installed: install it to run these tests too (Debian: apt-get install postgresql)"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@contextmanager
def cluster() -> Iterator[str]:
    """Run a cluster; yields the URL of its server, to which a database's name is appended.

    Its folder is not one of pytest's: each run of pytest closes those to other users than its own.
    """
    bin = programs()
    home = tempfile.TemporaryDirectory(prefix="scones-postgres-", ignore_cleanup_errors=True)
    with home as folder, _running(bin, Path(folder)) as url:
        yield url


@contextmanager
def _running(bin: Path, folder: Path) -> Iterator[str]:
    data = folder / "data"
    as_user: list[str] = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        shutil.chown(folder, "postgres", "postgres")
    command: list[str | Path] = [
        *as_user,
        bin / "initdb",
        "-D",
        data,
        "-U",
        "scones",
        "--auth=trust",
        "--no-sync",
        "--encoding=UTF8",
    ]
    subprocess.run(command, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options: list[str | Path] = ["-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    with (folder / "postgres.log").open("wb") as log:
        server = subprocess.Popen([*as_user, bin / "postgres", "-D", data, *options], stdout=log, stderr=log)
    try:
        _until_it_listens(port, server)
        yield f"postgresql+psycopg://scones@127.0.0.1:{port}/"
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        server.wait(30)


def _until_it_listens(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert server.poll() is None, "PostgreSQL ended while starting"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("PostgreSQL did not start")
