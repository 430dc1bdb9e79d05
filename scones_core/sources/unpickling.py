"""Reads a CIFAR-100 pickle in a guarded process of its own (`cifar_unpickler.py`) and takes plain values from it."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from scones_core.errors import BadInput

CHILD = Path(__file__).with_name("cifar_unpickler.py")
ROW_BYTES = 3 * 32 * 32


@dataclass(frozen=True)
class Limits:
    """What the process may use; the largest file of CIFAR-100 needs 0.5 GB and a second."""

    memory_bytes: int = 1536 * 1024 * 1024
    cpu_seconds: int = 60
    wall_seconds: float = 120


@dataclass(frozen=True)
class Rows:
    """images: uint8, shape (n, 3072), as in the pickle; outside: (name, label) of rows whose label is no class."""

    images: NDArray[np.uint8]
    labels: Sequence[int]
    names: Sequence[str]
    outside: Sequence[tuple[str, str]]


def read_class_names(pickled: Iterable[bytes], what: str, limits: Limits) -> list[str]:
    """The fine label names of a `meta` pickle, given as chunks of bytes."""
    header, _content = _ask(pickled, what, limits, wanted=None, classes=0)
    return list(header["names"])


def read_rows(pickled: Iterable[bytes], what: str, limits: Limits, *, wanted: Sequence[int], classes: int) -> Rows:
    """The rows whose label is one of `wanted`; `classes`: how many labels there are in all."""
    header, content = _ask(pickled, what, limits, wanted=list(wanted), classes=classes)
    if len(content) != len(header["labels"]) * ROW_BYTES:
        raise BadInput(f"{what} cannot be used: reading it was broken off; try again.")
    images = np.frombuffer(content, dtype=np.uint8).reshape(-1, ROW_BYTES)
    outside = [(str(name), str(label)) for name, label in header["outside"]]
    return Rows(images, header["labels"], header["filenames"], outside)


def _ask(
    pickled: Iterable[bytes], what: str, limits: Limits, *, wanted: list[int] | None, classes: int
) -> tuple[dict[str, Any], bytes]:
    request = {
        "wanted": wanted,
        "classes": classes,
        "memory_bytes": limits.memory_bytes,
        "cpu_seconds": limits.cpu_seconds,
    }
    with _guarded_process(json.dumps(request), limits.wall_seconds) as process:
        _feed(process, pickled)
        answer, _nothing = process.communicate()
    line, _newline, content = answer.partition(b"\n")
    header = json.loads(line) if line else {"error": "it asks for more time or memory than CIFAR-100 needs"}
    if "error" in header:
        raise BadInput(f"{what} cannot be used: {header['error']}; give the archive as it was published.")
    return header, content


@contextmanager
def _guarded_process(request: str, seconds: float) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-I", "-S", "-B", str(CHILD), request]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        timer = threading.Timer(seconds, process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()
            process.kill()
            with suppress(BrokenPipeError):
                _stdin(process).close()


def _feed(process: "subprocess.Popen[bytes]", pickled: Iterable[bytes]) -> None:
    with suppress(BrokenPipeError):  # it refused or died early, and its answer tells
        for chunk in pickled:
            _stdin(process).write(chunk)
        _stdin(process).flush()


def _stdin(process: "subprocess.Popen[bytes]") -> IO[bytes]:
    assert process.stdin is not None
    return process.stdin
