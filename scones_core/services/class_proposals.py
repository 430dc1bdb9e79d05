"""Classes that reviewers propose from the desk, and their acceptance."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from scones_core import logs
from scones_core.db import class_proposals as table
from scones_core.db import label_checks, reviews
from scones_core.domain.review import OTHER, ProposalState
from scones_core.domain.votes import standing
from scones_core.errors import BadInput, NotFound
from scones_core.services import capture, review
from scones_core.services.app import App
from scones_core.services.review_items import ClassNames
from scones_core.services.standing_labels import Recorded, fold
from scones_core.sources.model import check_class


@dataclass(frozen=True)
class ProposedClass:
    """images : with an open proposal of this name.  by : who proposed it."""

    name: str
    images: int
    by: tuple[str, ...]


@logs.use_case
def propose(
    app: App,
    id: str,
    name: str,
    reviewer: str,
    *,
    note: str = "",
    key: str | None = None,
    queue: int | None = None,
    revision: int | None = None,
) -> Recorded:
    """Label an image with none of the classes, and propose the class that it shows.

    The arguments are those of `review.decide`. Raises BadInput for a name that no class may have or that is one of the
    choices already, and as `review.decide`.
    """
    name, choices = name.strip(), ClassNames(app).choices(capture.inference(app, id))
    if name.casefold() in (choice.casefold() for choice in choices):
        raise BadInput(f"“{name}” is one of the classes already: choose it.")
    check_class(name)
    return review.decide(app, id, OTHER, reviewer, note=note, key=key, queue=queue, revision=revision, proposed=name)


def proposed(app: App) -> list[ProposedClass]:
    """Open proposals by name, the most frequent first."""
    with app.db.read() as connection:
        rows = table.open_ones(connection)
    counts = Counter(row["proposed"] for row in rows)
    by = {name: tuple(sorted({r["reviewer"] for r in rows if r["proposed"] == name})) for name in counts}
    return [ProposedClass(name, images, by[name]) for name, images in counts.most_common()]


@logs.use_case
def accept(app: App, name: str, by: str) -> int:
    """Make a proposed class a choice for every image; returns the number of its proposals.

    The proposals become labels: a new decision of each reviewer, with the acceptance in its note, unless the image has
    been decided anew since. Raises NotFound.
    """
    names = ClassNames(app)
    with app.db.write() as connection:
        rows = table.open_ones(connection, name)
        if not rows:
            raise NotFound(f"No open proposal of a class “{name}”.")
        now = datetime.now(UTC)
        for row in rows:
            current = standing(reviews.of_image(connection, row["image_sha256"]))
            if current is None or current.decision.id != row["id"]:
                continue  # decided anew since
            classes = [*dict.fromkeys([*(row["classes"] or ()), name])]
            values = {column: row[column] for column in _KEPT} | {"label": name, "time": now, "classes": classes}
            reviews.append(connection, values | {"note": f"Class accepted by {by}. {row['note']}".strip()})
            inference = label_checks.subject(connection, row["event_id"])
            assert inference is not None  # inferences are never removed
            fold(connection, inference, names)
        table.settle(connection, name, ProposalState.ACCEPTED, by, now)
    return len(rows)


_KEPT = (
    "event_id",
    "image_sha256",
    "action",
    "reviewer",
    "strategy",
    "probability",
    "queue",
    "model",
    "stored_key",
)


@logs.use_case
def decline(app: App, name: str, by: str) -> None:
    """Leave the images of a proposed class labelled "other". Raises NotFound."""
    with app.db.write() as connection:
        if not table.open_ones(connection, name):
            raise NotFound(f"No open proposal of a class “{name}”.")
        table.settle(connection, name, ProposalState.DECLINED, by, datetime.now(UTC))
