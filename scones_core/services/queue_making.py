"""Making review queues from orders of the captured inferences, and from what models disagree on."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np

from scones_core.db import review_orders, review_search
from scones_core.db.review_orders import Drawn
from scones_core.domain.datasets import TRAIN
from scones_core.domain.review import ALL, ORDERS, ReviewFilter, Strategy, in_words
from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.services import capture, deployment, embedding_store, embeddings, etl, label_suspects, queues
from scones_core.services.app import App
from scones_core.services.classification import class_name
from scones_core.services.likeness import Floats, unit
from scones_core.services.queues import QueueEntry
from scones_core.services.review_items import ClassNames, reason
from scones_core.vision.extractor import WIDTH, Embeddings
from scones_core.vision.typical import typical

LARGEST = 10_000  # images
NEWEST = 5_000  # images among which typical ones are looked for
COLD = 20  # training images per class, below which a start is cold


def make(
    app: App,
    name: str,
    strategy: Strategy,
    *,
    size: int,
    by: str,
    filter: ReviewFilter = ALL,
    reviewers: int = 1,
) -> int:
    """Create a queue of up to `size` images without a decision; returns its id.

    strategy : one of ORDERS, as it is now, or TYPICAL: images typical of many; or, without a filter, DISAGREEMENT, or
    ADJUDICATION: images on which reviewers disagree or were unsure; or LABEL_ERRORS: suspected labels of the current
    dataset version.
    Raises BadInput, Conflict if no image fits, NotFound without a challenger.
    """
    if not 1 <= size <= LARGEST:
        raise BadInput(f"The size of a queue must be from 1 to {LARGEST:,}.")
    if strategy is Strategy.LABEL_ERRORS:
        return label_suspects.make_queue(app, name, size=size, by=by, reviewers=reviewers)
    if strategy is Strategy.DISAGREEMENT:
        entries = _disagreements(app, size)
    elif strategy is Strategy.ADJUDICATION:
        entries = _undecided(app, size)
    elif strategy is Strategy.TYPICAL:
        entries = _typical(app, size, filter)
    elif strategy in ORDERS:
        entries = _ordered(app, strategy, size, filter)
    else:
        raise BadInput(f"A queue “{strategy}” cannot be made from an order: choose one of {', '.join(ORDERS)}.")
    if not entries:
        raise Conflict("No image without a decision fits: widen the filter, or capture more images.")
    made_from: dict[str, Any] = filter.as_json() | {"size": size}
    again = strategy is Strategy.ADJUDICATION
    return queues.create(
        app, name, entries, strategy=strategy, by=by, filter=made_from, reviewers=reviewers, again=again
    )


def is_cold(app: App) -> bool:
    """Whether the model in service has learnt from so few labels that typical images come before unsure ones."""
    champion = deployment.champion(app)
    return champion is None or etl.get(app, champion.dataset).train < COLD * len(champion.classes)


def _open_items(app: App, strategy: Strategy, count: int, filter: ReviewFilter) -> tuple[list[Drawn], int | None]:
    """Open images in an order, whoever has reserved them; and the number of the model in service."""
    serving, now = ClassNames(app).serving, datetime.now(UTC)
    with app.db.read() as connection:
        found = review_orders.open_items(
            connection, strategy=strategy, count=count, reviewer=None, now=now, filter=filter, serving=serving
        )
    return found, serving


def _typical(app: App, size: int, filter: ReviewFilter) -> list[QueueEntry]:
    """Of the newest open images, beside the training images, which have their labels."""
    rows = {one.row["image_sha256"]: one.row for one in _open_items(app, Strategy.NEWEST, NEWEST, filter)[0]}
    current = etl.current(app)
    labelled = {image.sha256: image.key for image in etl.images(app, current.id, TRAIN)[:NEWEST]} if current else {}
    read: dict[str, Callable[[], bytes]] = {
        image: partial(capture.image_of_row, app, row) for image, row in rows.items()
    }
    read |= {image: partial(app.backend.objects.get, key) for image, key in labelled.items()}
    known = embedding_store.vectors(app, list(read))
    if waiting := [(image, how) for image, how in read.items() if image not in known]:
        embeddings.embed(app, waiting)  # not all that the background has yet to do
        known = embedding_store.vectors(app, list(read))
    images = [image for image in rows if image in known]
    found = typical(_vectors(known, images), _vectors(known, [one for one in labelled if one in known]), size)
    return [QueueEntry(rows[images[one.place]]["event_id"], f"Typical of {one.alike:,} images alike") for one in found]


def _vectors(known: Mapping[str, Embeddings], images: Sequence[str]) -> Floats:
    """Unit vectors, shape (images, WIDTH)."""
    return unit(np.array([known[image] for image in images], np.float32).reshape(len(images), WIDTH))


def _ordered(app: App, strategy: Strategy, size: int, filter: ReviewFilter) -> list[QueueEntry]:
    found, serving = _open_items(app, strategy, size, filter)
    drawn = strategy is Strategy.RANDOM
    return [
        QueueEntry(
            one.row["event_id"],
            reason(one.row, strategy, one.probability, serving),
            one.probability if drawn else None,
        )
        for one in found
    ]


def _disagreements(app: App, size: int) -> list[QueueEntry]:
    serving = deployment.in_service(app)
    champion, challenger = serving.champion, serving.challenger
    if champion is None or challenger is None:
        raise NotFound("No challenger to disagree with the champion: retrain, and start a trial on Models.")
    names = ClassNames(app)
    with app.db.read() as connection:
        rows = review_orders.disagreements(connection, champion.number, challenger.number, size)
    if not rows:
        raise Conflict(
            f"No image on which {champion.id} and {challenger.id} disagree has been captured: a trial of "
            f"{challenger.id} captures its inferences."
        )
    return [
        QueueEntry(
            row["event_id"],
            f"{champion.id} predicts {class_name(names.known(row), row['prediction'])} ({row['confidence']:.0%}), "
            f"{challenger.id} {class_name(names.known(row), row['other_prediction'])} ({row['other_confidence']:.0%})",
        )
        for row in rows
    ]


def _undecided(app: App, size: int) -> list[QueueEntry]:
    """Images whose reviewers disagree or were unsure, each with what they said."""
    with app.db.read() as connection:
        rows = review_search.undecided_votes(connection, size)
        said = [review_search.decisions_of(connection, image=row["image_sha256"]) for row in rows]
    return [QueueEntry(row["event_id"], _votes(decisions)) for row, decisions in zip(rows, said, strict=True)]


def _votes(decisions: Sequence[Mapping[str, Any]]) -> str:
    """Such as “Ann: bicycle; Ben: unsure, “a tandem?””."""
    last = {one["reviewer"]: one for one in decisions[::-1] if one["action"] != "undo" and not one["undone"]}
    parts = [
        f"{who}: {in_words(one['label']) or 'skip'}" + (f", “{one['note']}”" if one["note"] else "")
        for who, one in last.items()
        if one["strategy"] != Strategy.GOLD
    ]
    return "; ".join(parts)
