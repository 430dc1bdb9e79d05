"""Review decisions: appended, never overwritten; the current label is derived from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# Answers that are no class: the image shows none of the classes, which keeps it out of training, or it is passed over.
# No class name has a slash, so that a class may be called "other".
OTHER, SKIP = "/other", "/skip"
LEASE = timedelta(minutes=10)


class Strategy(StrEnum):
    """Why an image is reviewed: its place in an order of all captured inferences, or the kind of its queue."""

    LEAST_CONFIDENCE = "least_confidence"
    MARGIN = "margin"
    ENTROPY = "entropy"
    RANDOM = "random"
    NEWEST = "newest"
    OLDEST = "oldest"
    AUDIT = "audit"  # drawn with known probabilities, for an unbiased estimate
    SELECTION = "selection"  # chosen by hand, or a slice sent from Monitor
    DISAGREEMENT = "disagreement"  # champion and challenger predict different classes
    LABEL_ERRORS = "label_errors"  # the label in force is suspected to be wrong
    ADJUDICATION = "adjudication"  # reviewers gave different labels, or were unsure


ORDERS = (  # the strategies that need no queue
    Strategy.LEAST_CONFIDENCE,
    Strategy.MARGIN,
    Strategy.ENTROPY,
    Strategy.RANDOM,
    Strategy.NEWEST,
    Strategy.OLDEST,
)


class Status(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    LABELLED = "labelled"  # the model's own class names are not known, so that nothing says whether it was right
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


def label_of(answer: str, classes: Sequence[str]) -> str | None:
    """Parse an answer: a class name, OTHER, or None to skip. Raises ValueError for anything else.

    "other" and "skip" are keywords unless a class has that name; with a leading slash they always are.
    """
    if answer in classes:
        return answer
    controls = {OTHER: OTHER, SKIP: None, OTHER[1:]: OTHER, SKIP[1:]: None}
    if answer not in controls:
        raise ValueError(answer)
    return controls[answer]


def in_words(label: str | None, classes: Sequence[str] = ()) -> str | None:
    """A label for display: "other" for none of the classes, unless a class has that name."""
    return OTHER[1:] if label == OTHER and OTHER[1:] not in classes else label


def standing(decisions: Sequence[Decision]) -> Decision | None:
    """The current decision: the last one not taken back."""
    return next((decision for decision in reversed(decisions) if not decision.undone), None)


def status_of(decision: Decision | None, prediction: str | None) -> Status:
    """prediction : the model's, in its own class names; None if these are unknown."""
    if decision is None:
        return Status.PENDING
    if decision.label is None:
        return Status.SKIPPED
    if prediction is None:
        return Status.LABELLED
    return Status.CONFIRMED if decision.label == prediction else Status.RELABELLED
