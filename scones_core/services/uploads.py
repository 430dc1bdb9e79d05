"""Uploaded files, stored for use as a source."""

import hashlib
import os
import re
import shutil
import tempfile
from io import BufferedIOBase
from pathlib import Path, PurePosixPath

from scones_core.errors import BadInput
from scones_core.services.app import App

CHUNK = 1 << 20


def save(app: App, name: str, content: BufferedIOBase) -> str:
    """Store an uploaded archive in the home and return its path, for `etl.load`.

    Identical content is stored once, under its digest and a sanitized name. Raises BadInput if it is empty.
    """
    if not content.seek(0, os.SEEK_END):
        raise BadInput(f"“{_safe(name)}” is empty: choose another file.")
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").hexdigest()
    content.seek(0)
    folder = app.settings.home / "downloads" / "uploads" / digest[:12]
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / _safe(name)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
        shutil.copyfileobj(content, file, CHUNK)
    os.replace(Path(file.name), target)
    return str(target)


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", PurePosixPath(name.replace("\\", "/")).name).lstrip(".")[-80:] or "upload"
