"""Review decisions: appended, never overwritten; the current label is derived from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

# Answers that are no class: the image shows none of the classes, which keeps it out of training; it shows nothing that
# could be told; the reviewer leaves it to an adjudicator; it is passed over. No class name has a slash, so that a class
# may be called "other".
OTHER, UNUSABLE, UNSURE, SKIP = "/other", "/unusable", "/unsure", "/skip"
LEASE = timedelta(minutes=10)
SKEW = timedelta(minutes=1)  # between the clocks of two machines; a lease that ends later came from a wrong clock


class Strategy(StrEnum):
    """Why an image is reviewed: its place in an order of all captured inferences, or the kind of its queue."""

    LEAST_CONFIDENCE = "least_confidence"
    MARGIN = "margin"
    ENTROPY = "entropy"
    RANDOM = "random"
    NEWEST = "newest"
    OLDEST = "oldest"
    AUDIT = "audit"  # drawn with known probabilities, for an unbiased estimate
    TYPICAL = "typical"  # of many images alike, for a start with few labels
    SELECTION = "selection"  # chosen by hand, or a slice sent from Monitor
    DISAGREEMENT = "disagreement"  # champion and challenger predict different classes
    LABEL_ERRORS = "label_errors"  # the label in force is suspected to be wrong
    ADJUDICATION = "adjudication"  # reviewers gave different labels, or were unsure
    GOLD = "gold"  # its label is known; it measures the reviewer, and the answer changes no label


ORDERS = (  # the strategies that need no queue
    Strategy.LEAST_CONFIDENCE,
    Strategy.MARGIN,
    Strategy.ENTROPY,
    Strategy.RANDOM,
    Strategy.NEWEST,
    Strategy.OLDEST,
)
KINDS = (*ORDERS, Strategy.TYPICAL, Strategy.DISAGREEMENT, Strategy.ADJUDICATION)  # of the queues that can be made


@dataclass(frozen=True)
class ReviewFilter:
    """Which captured inferences to review; None: any.

    model : a model version ("v3"), or "imported", "undecided", "unknown".  predicted : name of the predicted class.
    low, high : bounds of the confidence, included.  since, until : bounds of the time, UTC, included.
    """

    model: str | None = None
    predicted: str | None = None
    low: float | None = None
    high: float | None = None
    since: datetime | None = None
    until: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Only the conditions that are set."""
        found = {name: value for name, value in vars(self).items() if value is not None}
        return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in found.items()}


ALL = ReviewFilter()


class Status(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    LABELLED = "labelled"  # the model's own class names are not known, so that nothing says whether it was right
    RELABELLED = "relabelled"
    SKIPPED = "skipped"
    UNUSABLE = "unusable"  # no usable picture: it needs no label
    UNSURE = "unsure"  # for an adjudicator
    VOTING = "voting"  # several reviewers decide, and not enough have
    DISPUTED = "disputed"  # they have, and disagree


class ProposalState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True)
class Decision:
    """One verdict. label : a class or a control; None is a skip; `undone` if its reviewer took it back later."""

    id: int
    event_id: str
    label: str | None
    reviewer: str
    note: str
    time: datetime
    undone: bool = False
    strategy: str | None = None
    queue: int | None = None


def label_of(answer: str, classes: Sequence[str]) -> str | None:
    """Parse an answer: a class name, OTHER, UNUSABLE, UNSURE, or None to skip. Raises ValueError for anything else.

    "other", "unusable", "unsure" and "skip" are keywords unless a class has that name; with a leading slash they
    always are.
    """
    if answer in classes:
        return answer
    found = next((control for control in _CONTROLS if answer in (control, control[1:])), None)
    if found is None:
        raise ValueError(answer)
    return None if found == SKIP else found


_CONTROLS = (OTHER, UNUSABLE, UNSURE, SKIP)


def is_label(answer: str | None) -> bool:
    """Whether a parsed answer says what the image shows: a class, or none of the classes."""
    return answer is not None and answer not in (UNUSABLE, UNSURE)


def in_words(label: str | None, classes: Sequence[str] = ()) -> str | None:
    """An answer for display: "other" for none of the classes, unless a class has that name; so the other controls."""
    return label[1:] if label in _CONTROLS and label[1:] not in classes else label


def status_of(decision: Decision | None, prediction: str | None) -> Status:
    """prediction : the model's, in its own class names; None if these are unknown."""
    if decision is None:
        return Status.PENDING
    if decision.label is None:
        return Status.SKIPPED
    if not is_label(decision.label):
        return Status.UNUSABLE if decision.label == UNUSABLE else Status.UNSURE
    if prediction is None:
        return Status.LABELLED
    return Status.CONFIRMED if decision.label == prediction else Status.RELABELLED
