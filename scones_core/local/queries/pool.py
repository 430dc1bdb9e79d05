"""A pool of worker processes that evaluate expressions, started on demand and reused."""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from scones_core.local.queries.limits import ANSWER_BYTES, MEMORY_BYTES, SECONDS, NoValue

_ROOT = Path(__file__).parents[3]
_START_SECONDS = 60.0
_WAIT_SECONDS = 60.0  # beyond the limit of processor time, for a machine that is busy
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG")  # no secrets where the expressions of others run
_LIMITS = {
    "time": f"it took more than {SECONDS:g} s",
    "memory": f"it took more than {MEMORY_BYTES // 2**20} MB",
    "answer": f"its value has more than {ANSWER_BYTES // 2**20} MB",
}


class LimitExceeded(ValueError):
    """The evaluation exceeded a limit, which the text names."""


class Pool:
    """`processes` evaluate at once. May be asked from any thread."""

    def __init__(self, processes: int = 2) -> None:
        self._closed = False
        self.processes = processes
        self._free: queue.SimpleQueue[Process | None] = queue.SimpleQueue()
        for _ in range(processes):
            self._free.put(None)

    def evaluate(self, language: str, text: str, data: Any) -> Any:
        """Return the plain value. Raises NoValue, LimitExceeded, or ValueError with the reason of a failure."""
        request = json.dumps({"language": language, "text": text, "data": data}).encode()
        process = self._free.get()
        try:
            if process is None or not process.is_alive():
                process = Process()
            return _value(process.ask(request))
        except OSError as error:
            raise ValueError(f"no process could be started for it ({error})") from None
        finally:
            self._give_back(process)

    def _give_back(self, process: "Process | None") -> None:
        if self._closed and process is not None:
            process.end()
        self._free.put(process)

    def close(self) -> None:
        """End the processes; a busy one ends after its evaluation."""
        self._closed = True
        for _ in range(self.processes):
            try:
                process = self._free.get_nowait()
            except queue.Empty:
                return
            if process is not None:
                process.end()


def _value(answered: dict[str, Any]) -> Any:
    if "value" in answered:
        return answered["value"]
    if "limit" in answered:
        raise LimitExceeded(_LIMITS[answered["limit"]])
    if "error" in answered:
        raise ValueError(answered["error"])
    raise NoValue(answered["nothing"])


class Process:
    """One worker, and the socket on which it is asked."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "scones_core.local.queries.worker", str(theirs.fileno())],
                cwd=_ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                start_new_session=True,  # Ctrl-C is for this process, which ends that one
            )
        self._connection = Connection(ours.detach())
        if not self._connection.poll(_START_SECONDS) or not self._answer():
            self.end()
            raise OSError("it does not start")

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: bytes) -> dict[str, Any]:
        """Return the answer, or which limit was reached; the process has ended then."""
        try:
            self._connection.send_bytes(request)
            if self._connection.poll(SECONDS + _WAIT_SECONDS) and (answered := self._answer()):
                given: dict[str, Any] = json.loads(answered)
                if given.get("limit") == "memory":
                    self.end()
                return given
        except OSError:  # it ended before it had read the request, or all of the answer was written
            pass
        self.end()
        by_limit = self._process.returncode in (-signal.SIGPROF, -signal.SIGKILL)
        return {"limit": "time" if by_limit else "memory"}  # without memory even Python can crash

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._connection.close()

    def _answer(self) -> bytes:
        """Return what the process says; nothing when it has ended."""
        try:
            return self._connection.recv_bytes()
        except (EOFError, OSError):
            return b""
