"""All errors shown to users, as one tree.

SconesError
├── BadInput          the input cannot be used
│   ├── BadImage      not a readable PNG, JPEG or WebP
│   └── BadDefinition a state machine that Step Functions would refuse
├── NotFound          the named thing does not exist
├── Conflict          the current state does not allow it
├── Unavailable       a service or the network is not reachable
└── Damaged           stored data does not match its checksum or format

A message is one or two sentences: what happened, to which thing, and what to do next.
"""

import errno
from pathlib import Path

__all__ = [
    "BadDefinition",
    "BadImage",
    "BadInput",
    "Conflict",
    "Damaged",
    "NotFound",
    "SconesError",
    "Unavailable",
    "of_the_system",
]

_WAYS_OUT = {
    errno.ENOSPC: "free space on its disk",
    errno.EDQUOT: "free space on its disk",
    errno.EACCES: "allow this user to access it",
    errno.EPERM: "allow this user to access it",
    errno.EROFS: "choose another home, or make this one writable",
    errno.EISDIR: "it is a folder, but must be a file; move it away",
    errno.ENOTDIR: "it is a file, but must be a folder; move it away",
    errno.EEXIST: "it is a file, but must be a folder; move it away",
}


class SconesError(Exception):
    """Base class; its text is shown to users unchanged."""


class BadInput(SconesError):
    """The input cannot be used."""


class BadImage(BadInput):
    """The bytes are not an image of a supported format."""


class BadDefinition(BadInput):
    """A state machine definition that Step Functions would refuse, or that uses an unsupported feature."""


class NotFound(SconesError):
    """The named thing does not exist."""


class Conflict(SconesError):
    """The current state does not allow this."""


class Unavailable(SconesError):
    """A service or the network is not reachable."""


class Damaged(SconesError):
    """Stored data does not match its checksum or its format."""


def of_the_system(error: OSError) -> Unavailable:
    """An operating-system error as a sentence; names the file by the last two parts of its path."""
    reason = error.strerror or str(error)
    name = "/".join(Path(str(error.filename)).parts[-2:]) if error.filename else "A file"
    way_out = _WAYS_OUT.get(error.errno or 0, "check it and its disk")
    return Unavailable(f"“{name}” cannot be used ({reason.lower()}): {way_out}.")
