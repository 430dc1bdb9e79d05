"""State of the review desk: leased images, keyboard keys, and idempotency keys of decisions."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from scones_core.domain.review import LEASE, OTHER, Strategy
from scones_core.errors import SconesError
from scones_core.services import App, review
from scones_core.services.review_items import Item

AHEAD = 6  # images preloaded behind the current one
_RENEW = LEASE / 5  # leases with less time left are renewed
_DESK = "review_desk"
OTHER_KEY, SKIP_KEY, UNDO_KEY = "0", "s", "u"
OTHER_TEXT = "none of these"


@dataclass(frozen=True)
class AnswerKey:
    """A label and its keyboard key; classes from the tenth on have none."""

    label: str
    text: str
    key: str


def choices(classes: Sequence[str]) -> list[AnswerKey]:
    """Number keys in class order, and 0 for "none of these"."""
    found = [AnswerKey(label, _text(label), str(n) if n < 10 else "") for n, label in enumerate(classes, start=1)]
    return [*found, AnswerKey(OTHER, OTHER_TEXT, OTHER_KEY)]


def _text(label: str) -> str:
    return label.replace("_", " ")


@dataclass(frozen=True)
class Entry:
    """An action of the reviewer. `number` counts up per desk; id, label and note are set for decisions."""

    number: int
    action: str  # label, skip, undo or renew
    id: str = ""
    label: str = ""
    note: str = ""


def entries(outbox: Any) -> list[Entry]:
    """The entries sent by the browser, in order; malformed ones are ignored."""
    found = [Entry(**row) for row in outbox or () if isinstance(row, Mapping) and _is_entry(row)]
    return sorted(found, key=lambda entry: entry.number)


def _is_entry(row: Mapping[str, Any]) -> bool:
    texts = ("action", "id", "label", "note")
    known = set(row) <= {"number", *texts} and "action" in row
    return known and isinstance(row.get("number"), int) and all(isinstance(row.get(name, ""), str) for name in texts)


@dataclass
class Desk:
    """The images leased to one reviewer in one session. `done`: number of the last entry processed."""

    reviewer: str
    strategy: Strategy
    model: str | None = None
    queue: int | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    waiting: list[Item] = field(default_factory=list)
    done: int = 0
    error: SconesError | None = None

    def take(self, app: App, sent: Sequence[Entry]) -> None:
        """Process new entries; an error does not block the entries after it."""
        for entry in sent:
            if entry.number <= self.done:
                continue
            try:
                self._carry_out(app, entry)
            except SconesError as error:
                self.error = error
            self.done = entry.number

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
        key = f"{self.id}:{entry.number}"
        if entry.action == "undo":
            self.put_first(app, review.undo(app, self.reviewer, key=key).id)
        elif entry.action == "renew":
            self.waiting = []
        else:
            self.waiting = [item for item in self.waiting if item.id != entry.id]
            label = entry.label if entry.action == "label" else None
            key = f"{entry.id}:{key}"
            review.decide(app, entry.id, label, self.reviewer, note=entry.note, key=key, queue=self.queue)


def desk(reviewer: str, strategy: Strategy, model: str | None = None, queue: int | None = None) -> Desk:
    """This session's desk; a new one if the reviewer, the strategy, the model or the queue has changed."""
    found: Desk | None = st.session_state.get(_DESK)
    wanted = (reviewer, strategy, model, queue)
    if found is None or (found.reviewer, found.strategy, found.model, found.queue) != wanted:
        found = st.session_state[_DESK] = Desk(*wanted)
    return found
