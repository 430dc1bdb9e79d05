"""Every error a user can meet, in one tree.

SconesError
├── BadInput          what was given cannot be used
│   ├── BadImage      not a readable PNG, JPEG or WebP
│   └── BadDefinition a state machine that Step Functions would refuse
├── NotFound          the named thing does not exist
├── Conflict          the present state does not allow it
├── Unavailable       a service or the network cannot be reached now
└── Damaged           stored data does not match its checksum or format

A message is one sentence or two: what happened, to which thing, and what to do next.
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
    errno.ENOSPC: "make room on its disk",
    errno.EDQUOT: "make room on its disk",
    errno.EACCES: "give this user the right to it",
    errno.EPERM: "give this user the right to it",
    errno.EROFS: "choose another home, or let this one be written",
    errno.EISDIR: "a folder lies where a file belongs; move it away",
    errno.ENOTDIR: "a file lies where a folder belongs; move it away",
    errno.EEXIST: "a file lies where a folder belongs; move it away",
}


class SconesError(Exception):
    """Base of all; its text is shown to the user as it is."""


class BadInput(SconesError):
    """What was given cannot be used."""


class BadImage(BadInput):
    """The bytes are not an image of a supported format."""


class BadDefinition(BadInput):
    """A state machine definition that Step Functions would refuse, or that uses what is not supported here."""


class NotFound(SconesError):
    """The named thing does not exist."""


class Conflict(SconesError):
    """The present state of things does not allow this."""


class Unavailable(SconesError):
    """A service or the network cannot be reached at the moment."""


class Damaged(SconesError):
    """Stored data does not match its checksum or its format."""


def of_the_system(error: OSError) -> Unavailable:
    """What the operating system refuses, as a sentence that names the file by the last two parts of its path."""
    reason = error.strerror or str(error)
    name = "/".join(Path(str(error.filename)).parts[-2:]) if error.filename else "A file"
    way_out = _WAYS_OUT.get(error.errno or 0, "check it and its disk")
    return Unavailable(f"“{name}” cannot be used ({reason.lower()}): {way_out}.")
