"""Gold images: their label is known, and reviewers meet them among the others without being told."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from scones_core import logs
from scones_core.db import reviewers as table
from scones_core.db import settings as settings_table
from scones_core.db.review_orders import Drawn
from scones_core.domain.review import Strategy, is_label
from scones_core.errors import BadInput
from scones_core.services import capture, review_items
from scones_core.services.app import App

_RATE = "gold_rate"
HIGHEST_RATE = 0.5


@logs.use_case
def set_gold(app: App, id: str, label: str, by: str) -> None:
    """Make the image of an inference gold, with its known label; reviewers who have answered it do not meet it again.

    Raises BadInput for an answer that is no label, NotFound.
    """
    row, names = capture.inference(app, id), review_items.ClassNames(app)
    known = review_items.checked_label(label, names.choices(row))
    if not is_label(known):
        raise BadInput(f"A gold image needs a label: “{label}” is none.")
    if not row["capture_key"]:
        raise BadInput("Only captured images can be gold, and this one is of a dataset version: choose another.")
    values = {"image_sha256": row["image_sha256"], "event_id": id, "label": known, "set_by": by}
    with app.db.write() as connection:
        table.set_gold(connection, values | {"time": datetime.now(UTC)})


def rate(app: App) -> float:
    """The share of images shown that are gold, in [0, 0.5]; 0 until it is set."""
    with app.db.read() as connection:
        found = settings_table.get(connection, _RATE)
    return float(found) if isinstance(found, int | float) else 0.0


@logs.use_case
def set_rate(app: App, value: float, by: str) -> None:
    """Raises BadInput outside of [0, 0.5]."""
    if not 0 <= value <= HIGHEST_RATE:
        raise BadInput(f"The share of gold images must be from 0 to {HIGHEST_RATE:g}.")
    with app.db.write() as connection:
        settings_table.put(connection, _RATE, value, by)


def planted(connection: sa.Connection, drawn: Sequence[Drawn], reviewer: str, share: float) -> list[Drawn]:
    """The same, with gold images at random places: on average `share` of what is shown, as far as there are any.

    Their reason is that of the image before them, so that nothing tells them apart.
    """
    places = [place for place in range(len(drawn)) if random.random() < share / (1 - share)]
    found, gold = list(drawn), table.gold_for(connection, reviewer, len(places), datetime.now(UTC))
    for place, row in zip(reversed(places), gold, strict=False):
        like = drawn[place]
        found.insert(place + 1, Drawn(row, Strategy.GOLD, None, like.why, like=like))
    return found
