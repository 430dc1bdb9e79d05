"""State of the review desk: leased images, keyboard keys, and idempotency keys of decisions."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypedDict

import streamlit as st

from scones_core.domain.review import LEASE, OTHER, Strategy
from scones_core.errors import Damaged, SconesError, Unavailable
from scones_core.services import App, class_proposals, review
from scones_core.services.review_items import Item

AHEAD = 6  # images preloaded behind the current one
_RENEW = LEASE / 5  # leases with less time left are renewed
_DESK = "review_desk"
OTHER_KEY, OTHER_TEXT = "0", "none of these"
COMMANDS = {"skip": "s", "undo": "u", "unusable": "x", "unsure": "q", "confirm": "c"}  # name → key, as desk.js has it
ONE_KEY = 9  # classes; more have keys of two digits, from 40 on
_FIRST_OF_TWO = 40
_REMEMBERED = 500  # keys of processed entries


@dataclass(frozen=True)
class AnswerKey:
    """A label and its keys: one digit, two, or none for classes from the 61st on, which are found by typing."""

    label: str
    text: str
    key: str


def choices(classes: Sequence[str]) -> list[AnswerKey]:
    """Number keys in class order, and 0 for "none of these"."""
    first = 1 if len(classes) <= ONE_KEY else _FIRST_OF_TWO
    found = [AnswerKey(name, _text(name), str(n) if n < 100 else "") for n, name in enumerate(classes, start=first)]
    return [*found, AnswerKey(OTHER, OTHER_TEXT, OTHER_KEY)]


def most_probable(classes: Sequence[str], probabilities: Mapping[str, float]) -> list[AnswerKey]:
    """Keys 1 to 3 for the model's first three, if there are too many classes for one key each."""
    if len(classes) <= ONE_KEY:
        return []
    ranked = sorted((name for name in probabilities if name in classes), key=lambda name: -probabilities[name])
    return [AnswerKey(name, _text(name), str(n)) for n, name in enumerate(ranked[:3], start=1)]


def _text(label: str) -> str:
    return label.replace("_", " ")


@dataclass(frozen=True)
class Entry:
    """An action of the reviewer. `number` orders them; `key` is made by the browser and sent again with the entry.

    action : label, skip, propose (label is the name of a class), undo or renew.
    revision : of the image, as the reviewer saw it; None to record the decision whatever others have decided since.
    """

    number: int
    key: str
    action: str
    id: str = ""
    label: str = ""
    note: str = ""
    revision: int | None = None


def entries(outbox: Any) -> list[Entry]:
    """The entries sent by the browser, in order; malformed ones are ignored."""
    found = [Entry(**row) for row in outbox or () if isinstance(row, Mapping) and _is_entry(row)]
    return sorted(found, key=lambda entry: entry.number)


def _is_entry(row: Mapping[str, Any]) -> bool:
    texts = ("key", "action", "id", "label", "note")
    known = set(row) <= {"number", "revision", *texts} and {"key", "action"} <= set(row)
    numbers = isinstance(row.get("number"), int) and isinstance(row.get("revision", 0), int | None)
    return known and numbers and all(isinstance(row.get(name, ""), str) for name in texts)


@dataclass
class Desk:
    """The images leased to one reviewer in one session.

    done : keys of the entries processed, the newest last.  refused : key → reason, of decisions not recorded.
    """

    reviewer: str
    strategy: Strategy
    model: str | None = None
    queue: int | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    waiting: list[Item] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    error: SconesError | None = None

    def take(self, app: App, sent: Sequence[Entry]) -> None:
        """Process new entries in order; a refused decision does not block the entries after it.

        If the database or the disk cannot be written, this and the later entries stay unprocessed, to be sent again.
        """
        for entry in sent:
            if entry.key in self.done:
                continue
            try:
                self._carry_out(app, entry)
            except (Unavailable, Damaged) as error:
                self.error = error
                break
            except SconesError as error:
                self._refuse(entry, error)
            self.done = [*self.done, entry.key][-_REMEMBERED:]

    def _refuse(self, entry: Entry, error: SconesError) -> None:
        if entry.action == "undo":
            self.error = error
        else:
            self.refused[entry.key] = str(error)
            self.waiting = [item for item in self.waiting if item.id != entry.id]

    def refill(self, app: App) -> None:
        """Lease more images when few are left, and renew leases about to expire."""
        soon = datetime.now(UTC) + _RENEW
        self.waiting = [item for item in self.waiting if item.lease_expires > soon]
        if len(self.waiting) > AHEAD // 2:
            return
        held = [item.id for item in self.waiting]
        count = AHEAD + 1 - len(held)
        self.waiting += review.next_items(
            app,
            self.reviewer,
            strategy=self.strategy,
            count=count,
            exclude=held,
            model=self.model,
            queue=self.queue,
        )

    def put_first(self, app: App, id: str) -> None:
        """Put an image back in front."""
        item = replace(review.item(app, id), lease_expires=datetime.now(UTC) + LEASE)
        self.waiting = [item, *(other for other in self.waiting if other.id != id)]

    def raise_error(self) -> None:
        """Raise the last error of an entry, once."""
        error, self.error = self.error, None
        if error:
            raise error

    def _carry_out(self, app: App, entry: Entry) -> None:
        if entry.action == "undo":
            self.put_first(app, review.undo(app, self.reviewer, id=entry.id or None, key=entry.key).id)
        elif entry.action == "renew":
            self.waiting = []
        else:
            draft: Draft = {"note": entry.note, "key": entry.key, "queue": self.queue, "revision": entry.revision}
            if entry.action == "propose":
                class_proposals.propose(app, entry.id, entry.label, self.reviewer, **draft)
            else:
                label = entry.label if entry.action == "label" else None
                review.decide(app, entry.id, label, self.reviewer, **draft)
            self.waiting = [item for item in self.waiting if item.id != entry.id]


class Draft(TypedDict):
    note: str
    key: str
    queue: int | None
    revision: int | None


def desk(reviewer: str, strategy: Strategy, model: str | None = None, queue: int | None = None) -> Desk:
    """This session's desk; a new one if the reviewer, the strategy, the model or the queue has changed."""
    found: Desk | None = st.session_state.get(_DESK)
    wanted = (reviewer, strategy, model, queue)
    if found is None or (found.reviewer, found.strategy, found.model, found.queue) != wanted:
        found = st.session_state[_DESK] = Desk(*wanted)
    return found
