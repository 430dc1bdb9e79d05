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

__all__ = [
    "BadDefinition",
    "BadImage",
    "BadInput",
    "Conflict",
    "Damaged",
    "NotFound",
    "SconesError",
    "Unavailable",
]


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
