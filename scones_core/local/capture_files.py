"""Capture files with several records each, like SageMaker's."""

import errno
import os
import tempfile
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scones_core import logs

MOST_BYTES = 512 * 1024  # of a file
OLDEST = timedelta(minutes=1)

log = logs.get(__name__)


@dataclass
class _File:
    folder: str
    opened: datetime
    handle: int
    size: int = 0

    def has_room(self, folder: str, size: int, now: datetime) -> bool:
        return folder == self.folder and self.size + size <= MOST_BYTES and now - self.opened < OLDEST


class CaptureFiles:
    """Appends one line per record. Each process writes its own files, so lines never mix.

    path : from an object key to the file that holds the object
    """

    def __init__(self, path: Callable[[str], Path]) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._files: dict[str, _File] = {}
        self.failure: str | None = None  # error of the last write; None if it succeeded

    def append(self, prefix: str, line: bytes) -> None:
        """Add a line, which ends with a newline, to a file below the key prefix `prefix` and the present hour.

        A failed write is reported in `failure` and the log, and the record is lost: the inference itself must succeed.
        """
        try:
            self._append(prefix, line)
        except OSError as error:
            if self.failure is None:
                log.error("capture fails", prefix=prefix, error=str(error))
            self.failure = error.strerror or str(error)
        else:
            self.failure = None

    def probe(self, prefix: str) -> str | None:
        """Why no capture can be written, or None."""
        try:
            folder = self._path(f"{prefix}probe").parent
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
                file.write(b"\0" * 4096)
        except OSError as error:
            return error.strerror or str(error)
        return None

    def _append(self, prefix: str, line: bytes) -> None:
        with self._lock:
            now = datetime.now(UTC)
            folder, file = f"{prefix}{now:%Y/%m/%d/%H}/", self._files.get(prefix)
            if file is None or not file.has_room(folder, len(line), now):
                self._close(prefix)
                file = self._files[prefix] = self._open(folder, now)
            written = os.write(file.handle, line)  # at once, so that a crash leaves whole lines
            file.size += written
            if written < len(line):  # the disk is full: nothing more goes behind half a line
                self._close(prefix)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        with self._lock:
            for prefix in list(self._files):
                self._close(prefix)

    def _open(self, folder: str, now: datetime) -> _File:
        path = self._path(f"{folder}{now:%M-%S}-{now.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        return _File(folder, now, os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o666))

    def _close(self, prefix: str) -> None:
        if prefix in self._files:
            os.close(self._files.pop(prefix).handle)
