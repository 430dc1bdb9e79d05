"""Downloads the CIFAR-100 archive once, continues where it was cut off, and checks what arrived."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from scones_core.errors import Conflict, Damaged, Unavailable
from scones_core.sources.model import Download, Progress

try:
    import fcntl
except ImportError:  # Windows; two downloads at once are then not kept apart
    fcntl = None  # type: ignore[assignment]

CHUNK = 1 << 16  # what arrived of a piece is lost when the connection breaks
INSTEAD = "give the archive as a file, or use the generated sample (source “sample”)"


def fetch(download: Download, cache: Path, on_progress: Progress) -> Path:
    """The verified archive in `cache`, downloaded unless it is there. Raises Unavailable or Damaged."""
    archive = cache / download.file_name
    with _alone(archive.with_suffix(".lock")):
        if archive.exists() and _md5(archive) == download.md5:
            return archive
        part = archive.with_suffix(".part")
        continued = part.exists()
        _complete(download, part, on_progress)
        if continued and _md5(part) != download.md5:  # the beginning may be another file's
            part.unlink()
            _complete(download, part, on_progress)
        if _md5(part) != download.md5:
            part.unlink()
            raise Damaged(
                f"What was downloaded is not the published CIFAR-100 (its MD5 differs); try again, or {INSTEAD}."
            )
        os.replace(part, archive)
    return archive


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        held = lock.open("w")
    except OSError as error:
        raise _not_stored(error) from error
    with held:
        if fcntl is not None:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise Conflict("CIFAR-100 is being downloaded already; wait until that has ended.") from error
        yield


def _not_stored(error: OSError) -> Unavailable:
    reason = (error.strerror or "error").lower()
    return Unavailable(f"The download of CIFAR-100 cannot be stored ({reason}); {INSTEAD}.")


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _complete(download: Download, part: Path, on_progress: Progress) -> None:
    """Append to `part` what is missing of it; tries again as long as something arrives."""
    for attempt in range(1, download.attempts + 1):
        arrived = _size(part)
        try:
            return _append(download, part, on_progress)
        except requests.RequestException as error:
            if attempt == download.attempts or _size(part) == arrived:
                raise Unavailable(_cut_off(download, part, error)) from error
        except OSError as error:
            raise _not_stored(error) from error


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _cut_off(download: Download, part: Path, error: Exception) -> str:
    arrived = _size(part)
    if arrived:
        return (
            f"The download of CIFAR-100 broke off after {arrived / 1e6:.0f} MB; run it again to continue, or {INSTEAD}."
        )
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"The server of CIFAR-100 refuses (HTTP {error.response.status_code}); try later, or {INSTEAD}."
    return f"CIFAR-100 cannot be downloaded, as {download.host} cannot be reached from here; {INSTEAD}."


def _append(download: Download, part: Path, on_progress: Progress) -> None:
    start = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(download.url, headers=headers, stream=True, timeout=download.timeouts) as response:
        if response.status_code == 416:  # nothing is missing, or the part is not of this file: the checksum tells
            return
        response.raise_for_status()
        if not _continues(response, start):
            start = 0
        total = _length(response, start)
        with part.open("ab" if start else "wb") as file:
            for piece in response.iter_content(CHUNK):
                file.write(piece)
                on_progress(file.tell(), total, "Downloading CIFAR-100")
                if file.tell() > download.most_bytes:
                    file.truncate(0)
                    raise Damaged(f"What the server sends is larger than CIFAR-100; {INSTEAD}.")
            file.flush()
            os.fsync(file.fileno())
        if total is not None and _size(part) < total:
            raise requests.ConnectionError("the answer ended early")


def _continues(response: requests.Response, start: int) -> bool:
    return response.status_code == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {start}-")


def _length(response: requests.Response, start: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdigit() else None
