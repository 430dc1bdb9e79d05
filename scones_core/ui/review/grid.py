"""The review grid: a page of thumbnails of one predicted class, of which the wrong ones are marked."""

import base64
import io
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from PIL import Image, ImageOps

from scones_core.domain.review import LEASE, Strategy
from scones_core.errors import BadImage, Conflict, SconesError
from scones_core.services import App, capture, review, review_pages
from scones_core.services.review import NewDecision
from scones_core.services.review_items import Item
from scones_core.ui.review.desk import store
from scones_core.ui.review.keys import choices
from scones_core.vision.images import decode

PAGE = 60  # images
_SIDE = 96  # pixels of a thumbnail
_HERE = Path(__file__).parent
_GRID = "review_grid"


@dataclass(frozen=True)
class GridEntry:
    """An action on a page. `key` is made by the browser and sent again with the entry.

    action : page or undo.  answers : (id, label, revision) of each image decided, or to take back.  left : ids of
    images left for the desk.
    """

    number: int
    key: str
    action: str
    answers: tuple[tuple[str, str, int], ...]
    left: tuple[str, ...]


def grid_entries(outbox: Any) -> list[GridEntry]:
    """The entries sent by the browser, in order; malformed ones are ignored."""
    found = []
    for row in outbox or ():
        try:
            answers = tuple((str(id), str(label), int(revision)) for id, label, revision in row["answers"])
            left = tuple(map(str, row["left"]))
            found.append(GridEntry(int(row["number"]), str(row["key"]), str(row["action"]), answers, left))
        except (KeyError, TypeError, ValueError):
            continue
    return sorted(found, key=lambda entry: entry.number)


@dataclass
class Grid:
    """The images leased for pages of one predicted class. done : keys of the entries processed."""

    reviewer: str
    strategy: Strategy
    predicted: str
    model: str | None
    id: str
    waiting: list[Item] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    error: SconesError | None = None

    def take(self, app: App, sent: Sequence[GridEntry]) -> None:
        """Process new entries in order. If the database cannot be written, they stay to be sent again."""
        for entry in sent:
            if entry.key in self.done:
                continue
            try:
                self._carry_out(app, entry)
            except Conflict as error:
                self.error = error
            except SconesError as error:
                self.error = error
                return
            self.done = [*self.done, entry.key][-100:]

    def _carry_out(self, app: App, entry: GridEntry) -> None:
        ids = [id for id, _label, _revision in entry.answers]
        if entry.action == "undo":
            review_pages.undo_page(app, ids, self.reviewer, key=entry.key)
            expires = datetime.now(UTC) + LEASE
            back = [replace(review.item(app, id), lease_expires=expires) for id in [*ids, *entry.left]]
            self.left = [id for id in self.left if id not in entry.left]
            self.waiting = [*back, *(item for item in self.waiting if item.id not in {one.id for one in back})]
            return
        answers = [NewDecision(id, label, revision=revision) for id, label, revision in entry.answers]
        refused = review_pages.decide_page(app, answers, self.reviewer, key=entry.key)
        review_pages.leave(app, entry.left, self.reviewer)
        self.left += entry.left
        gone = {*ids, *entry.left}
        self.waiting = [item for item in self.waiting if item.id not in gone]
        if refused:
            reason = next(iter(refused.values()))
            raise Conflict(f"Not recorded: {len(refused)} of {len(answers)} images of the page. {reason}")

    def refill(self, app: App) -> None:
        """Lease the images of two pages."""
        soon = datetime.now(UTC) + LEASE / 5
        self.waiting = [item for item in self.waiting if item.lease_expires > soon]
        if len(self.waiting) > PAGE:
            return
        held = [item.id for item in self.waiting]
        self.waiting += review.next_items(
            app,
            self.reviewer,
            strategy=self.strategy,
            count=2 * PAGE - len(held),
            exclude=[*held, *self.left],
            model=self.model,
            predicted=self.predicted,
        )


def grid(reviewer: str, strategy: Strategy, predicted: str, model: str | None) -> Grid:
    """This session's grid; a new one if the reviewer, the order, the class or the model has changed."""
    found: Grid | None = st.session_state.get(_GRID)
    wanted = (reviewer, strategy, predicted, model)
    if found is None or (found.reviewer, found.strategy, found.predicted, found.model) != wanted:
        found = st.session_state[_GRID] = Grid(*wanted, id=uuid.uuid4().hex)
    return found


@cache
def _component() -> Any:
    return st.components.v2.component(
        "scones_review_grid",
        html='<div class="grid"></div>',
        css=(_HERE / "grid.css").read_text("utf-8"),
        js="\n".join((_HERE / name).read_text("utf-8") for name in ("outbox.js", "grid.js")),
    )


def review_grid(app: App, here: Grid, *, keys: bool) -> None:
    """Show the page; decisions are recorded before the rerun they trigger.  keys : whether single keys act."""
    key = f"grid-{here.id}"

    def decided() -> None:
        here.take(app, grid_entries(st.session_state[key].get("outbox")))

    here.refill(app)
    data = {
        "store": f"{store(app, here.reviewer)}:grid",
        "done": here.done,
        "predicted": here.predicted,
        "text": here.predicted.replace("_", " "),
        "size": PAGE,
        "keys": keys,
        "items": [_tile(app, item) for item in here.waiting],
        "choices": _choices(here.waiting),
    }
    _component()(key=key, data=data, on_outbox_change=decided)


def _choices(items: Sequence[Item]) -> list[Mapping[str, str]]:
    """The labels of one key each; wrong images of other classes are left for the desk."""
    classes = items[0].classes if items else ()
    return [vars(choice) for choice in choices(classes) if len(choice.key) == 1]


def _tile(app: App, item: Item) -> dict[str, Any]:
    source = _thumbnail(str(app.settings.home), item.id, app)
    return {"id": item.id, "source": source, "confidence": item.confidence, "revision": item.revision}


@st.cache_data(show_spinner=False, max_entries=2000)
def _thumbnail(_home: str, event_id: str, _app: App) -> str:
    """Data URI of a square thumbnail; empty if the image cannot be shown."""
    try:
        image = decode(capture.image(_app, event_id))
    except (BadImage, SconesError):
        return ""
    small = ImageOps.contain(image.convert("RGB"), (_SIDE, _SIDE), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    small.save(written, "WEBP", quality=85)
    return f"data:image/webp;base64,{base64.b64encode(written.getvalue()).decode()}"
