"""Decisions of reviewers: appended, never overwritten; the label in force is folded from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

OTHER = "other"  # the image shows none of the classes: kept out of training
LEASE = timedelta(minutes=10)


class Strategy(StrEnum):
    """Which captured inferences a reviewer sees first."""

    LEAST_CONFIDENCE = "least_confidence"
    MARGIN = "margin"
    ENTROPY = "entropy"
    RANDOM = "random"
    NEWEST = "newest"


class Status(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    RELABELLED = "relabelled"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Decision:
    """One verdict. label None is a skip; `undone` is set when its reviewer took it back later."""

    id: int
    event_id: str
    label: str | None
    reviewer: str
    note: str
    time: datetime
    undone: bool = False


def standing(decisions: Sequence[Decision]) -> Decision | None:
    """The decision in force: the last one not taken back."""
    return next((decision for decision in reversed(decisions) if not decision.undone), None)


def status_of(decision: Decision | None, prediction: str) -> Status:
    if decision is None:
        return Status.PENDING
    if decision.label is None:
        return Status.SKIPPED
    return Status.CONFIRMED if decision.label == prediction else Status.RELABELLED
