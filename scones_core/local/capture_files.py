"""Files of captured inferences: each takes several records, as SageMaker's do."""

import os
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

MOST_BYTES = 512 * 1024  # of a file; whoever wants one image reads all of it
OLDEST = timedelta(minutes=1)


class CaptureFiles:
    """Appends one line a record. Other processes have files of their own, so lines never mix.

    path : from an object key to the file that holds the object
    """

    def __init__(self, path: Callable[[str], Path]) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: int | None = None
        self._prefix = ""
        self._opened = datetime.min.replace(tzinfo=UTC)
        self._size = 0

    def append(self, prefix: str, line: bytes) -> None:
        """Add a line, which ends with a newline, to a file below the key prefix `prefix` and the present hour."""
        with self._lock:
            now = datetime.now(UTC)
            prefix = f"{prefix}{now:%Y/%m/%d/%H}/"
            if self._file is None or prefix != self._prefix or not self._has_room(len(line), now):
                self._open(prefix, now)
            assert self._file is not None
            written = os.write(self._file, line)  # at once, so that a crash leaves whole lines
            self._size += written
            if written < len(line):  # the disk is full: nothing more goes behind half a line
                self._close()
                raise OSError("the disk is full")

    def close(self) -> None:
        with self._lock:
            self._close()

    def _has_room(self, size: int, now: datetime) -> bool:
        return self._size + size <= MOST_BYTES and now - self._opened < OLDEST

    def _open(self, prefix: str, now: datetime) -> None:
        self._close()
        file = self._path(f"{prefix}{now:%M-%S}-{now.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl")
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o666)
        self._prefix, self._opened, self._size = prefix, now, 0

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
