"""Files named on the command line."""

import os
import re
from pathlib import Path

from scones_core.errors import BadInput
from scones_core.terminal import Terminal

SAGEMAKER = re.compile(r"([^/]+)/[^/]+/\d{4}/\d\d/\d\d/\d\d/[^/]+$")  # endpoint/variant/YYYY/MM/DD/HH/file


def read(path: str) -> bytes:
    """Raises BadInput."""
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise BadInput(f"“{path}” is a folder, a device or a pipe: name a file.")
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL character
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"“{path[:200]}” cannot be read ({reason}): name an existing file.") from None


def captures(paths: list[str], terminal: Terminal) -> list[str]:
    """The named files, and the files in named folders; skips hidden files and dead links."""
    found: list[str] = []
    for path in paths:
        inside = [path]
        if os.path.isdir(folder := Path(path)):  # False where `Path.is_dir` raises
            files = sorted(file for file in folder.rglob("*") if file.name.endswith((".jsonl", ".jsonl.gz")))
            seen = [file for file in files if not any(part[0] == "." for part in file.relative_to(folder).parts)]
            inside = [str(file) for file in seen if file.is_file()]
            for dead in set(seen) - {Path(file) for file in inside}:
                terminal.line(f"Skipped “{dead}”: a dead link, or not a regular file.")
        if not inside:
            raise BadInput(f"No .jsonl files in “{path}”: name a folder of captured inferences.")
        found += inside
    return found


def by_endpoint(paths: list[str], given: str | None) -> dict[str | None, list[str]]:
    """The files by endpoint: the given one, or the one in SageMaker's folder names."""
    found: dict[str | None, list[str]] = {}
    for path in paths:
        named = SAGEMAKER.search(Path(path).as_posix())
        found.setdefault(given or (named[1] if named else None), []).append(path)
    return found
