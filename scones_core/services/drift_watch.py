"""The drift watch of the model in service: it observes what is ingested, and raises alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np

from scones_core import logs
from scones_core.bounded_map import bounded_map
from scones_core.db import drift_watches as table
from scones_core.domain import martingale
from scones_core.domain.capture import NotAnInference, image_of
from scones_core.domain.datasets import TEST
from scones_core.domain.martingale import DriftWatch, Floats, Watched
from scones_core.domain.models import ModelVersion
from scones_core.errors import BadImage, BadInput, NotFound, SconesError, Unavailable
from scones_core.services import deployment, etl, notification, training
from scones_core.services.app import App
from scones_core.services.drift_standing import in_words
from scones_core.vision.statistics import STATISTICS, statistics_of

AT_ONCE = 5_000  # inferences observed per ingest; of more, every so manieth
PORTION = 25  # inferences after which an alarm is looked for
ROWS = 500  # inferences per transaction
TURN = "drift-watch"  # lock name

log = logs.get(__name__)


def follow(app: App) -> None:
    """Observe the inferences that were ingested since the last time; an alarm is recorded, and sent once.

    Never fails an ingest: what goes wrong is logged.  Leaves the work to another process that is at it.
    """
    try:
        champion = deployment.champion(app)
        if champion is None:
            return
        with app.db.turn(TURN, timeout=0):
            _follow(app, champion)
    except Unavailable as error:
        log.info("drift watch left to another process", reason=str(error))
    except SconesError as error:
        log.warning("drift not watched", error=str(error))


def _follow(app: App, champion: ModelVersion) -> None:
    since = deployment.in_service_since(app, champion)
    if since is None:
        return
    with app.db.read() as connection:
        rows = table.unwatched(connection, app.settings.endpoint, champion.number, champion.dataset, since, AT_ONCE)
        found = table.current(connection, app.settings.endpoint, champion.number)
    distinct = list({row["image_sha256"]: row for row in reversed(rows)}.values())[::-1]
    if not distinct or (found is None and (found := _begun(app, champion)) is None):
        return
    ranks = _class_ranks(app, champion)
    measured = [(row, seen) for row, seen in zip(distinct, _statistics(app, distinct), strict=True) if seen]
    for start in range(0, len(measured), ROWS):
        found = _observed(app, found, measured[start : start + ROWS], ranks)


def _begun(app: App, champion: ModelVersion) -> dict[str, Any] | None:
    """A new watch of the model; None with too few test images."""
    try:
        reference = _reference(app, champion)
    except NotFound:  # older app versions did not store the predictions
        return None
    if len(reference) < martingale.FEWEST:
        return None
    values = {
        "endpoint": app.settings.endpoint,
        "model": champion.number,
        "started": datetime.now(UTC),
        "reference": len(reference),
        "observed": 0,
        "state": martingale.begin(reference, seed=champion.number).to_bytes(),
    }
    with app.db.write() as connection:
        id = table.add(connection, values)
    return {**values, "id": id, "alarm": None}


def _reference(app: App, champion: ModelVersion) -> Floats:
    """The model's own test images as observations, (n, 6); unreadable ones left out."""
    probabilities = np.asarray(training.evaluation(app, champion, champion.dataset).probabilities, dtype=float)
    ranks = _class_ranks(app, champion)
    images = etl.images(app, champion.dataset, TEST)
    objects = app.backend.objects

    def seen(key: str) -> Sequence[float] | None:
        try:
            return statistics_of(objects.get(key))
        except (BadImage, NotFound):
            return None

    statistics = list(bounded_map(seen, [image.key for image in images], objects.at_once))
    rows = [
        [p.max(), ranks[int(p.argmax())], *found] for p, found in zip(probabilities, statistics, strict=True) if found
    ]
    return np.array(rows).reshape(-1, len(Watched))


def _class_ranks(app: App, champion: ModelVersion) -> list[int]:
    """Rank of each class by its share of the predictions for test images: so that a change of mix shifts the ranks."""
    probabilities = np.asarray(training.evaluation(app, champion, champion.dataset).probabilities, dtype=float)
    counts = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
    return [int(rank) for rank in np.argsort(np.argsort(counts, kind="stable"), kind="stable")]


def _statistics(app: App, rows: Sequence[Mapping[str, Any]]) -> list[Sequence[float] | None]:
    """Statistics of captured images, in the order of the rows; each capture file is read once."""
    files: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        files.setdefault(row["capture_key"], []).append(place)
    found: list[Sequence[float] | None] = [None] * len(rows)

    def of_file(key: str) -> list[tuple[int, Sequence[float] | None]]:
        try:
            data = app.backend.objects.get(key)
        except NotFound:
            return []
        return [(place, _of_line(data, rows[place])) for place in files[key]]

    for some in bounded_map(of_file, files, app.backend.objects.at_once):
        for place, statistics in some:
            found[place] = statistics
    return found


def _of_line(data: bytes, row: Mapping[str, Any]) -> Sequence[float] | None:
    try:
        if row["capture_start"] is None:
            return statistics_of(image_of(data.split(b"\n")[row["capture_line"]]))
        return statistics_of(image_of(data[row["capture_start"] : row["capture_end"]]))
    except (BadImage, NotAnInference, IndexError):
        return None


def _observed(
    app: App, found: dict[str, Any], measured: Sequence[tuple[Mapping[str, Any], Sequence[float]]], ranks: Sequence[int]
) -> dict[str, Any]:
    """The watch after some more inferences, recorded with their statistics."""
    watch, alarm = DriftWatch.from_bytes(found["state"]), found["alarm"]
    values = np.array([_observation(row, seen, ranks) for row, seen in measured])
    first, changed = watch.count, {}
    for start in range(0, len(values), PORTION):
        watch = martingale.observe(watch, values[start : start + PORTION])
        if watch.alarm[0] and alarm is None:
            alarm = _raised(watch)
            changed = {"alarm": alarm, "alarm_time": measured[watch.count - 1 - first][0]["time"]}
    rows = [
        {
            "watch": found["id"],
            "number": first + place,
            "model": found["model"],
            **{name: row[name] for name in ("event_id", "image_sha256", "time")},
            **dict(zip(STATISTICS, seen, strict=True)),
        }
        for place, (row, seen) in enumerate(measured)
    ]
    message = _message(alarm["changes"]) if changed else None
    changed |= {"observed": watch.count, "state": watch.to_bytes()}
    with app.db.write() as connection:
        table.add_statistics(connection, rows)
        table.update(connection, found["id"], changed)
        noted = notification.note(app, connection, *message) if message else None
    if message:
        log.warning("drift alarm raised", model=f"v{found['model']}", inferences=watch.count)
        notification.deliver(app, noted, *message)
    return {**found, **changed}


def _observation(row: Mapping[str, Any], seen: Sequence[float], ranks: Sequence[int]) -> list[float]:
    """In the order of `Watched`; a class that the model does not know ranks behind all others."""
    prediction = row["prediction"]
    return [row["confidence"], ranks[prediction] if prediction < len(ranks) else len(ranks), *seen]


def _raised(watch: DriftWatch) -> dict[str, Any]:
    """An alarm as recorded: what changed, and numbers of observations."""
    likeliest, earliest, latest = martingale.began(watch)
    changes = [asdict(change) for change in martingale.changes(watch)]
    return {"changes": changes, "began": likeliest, "first": earliest, "last": latest, "raised": watch.count - 1}


def _message(changes: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    title = "Scones Unlimited: drift, the images or the answers have changed"
    return title, f"{in_words(changes)}\n\nLook at the images on Monitor, and audit about 100 of them."


@logs.use_case
def acknowledge(app: App, *, by: str) -> None:
    """Take note of the alarm: the watch restarts, compares with the test images, and alarms again if drift persists.

    Raises BadInput (no name), NotFound (no alarm stands).
    """
    if not by.strip():
        raise BadInput("The name of the person who acknowledges the alarm is missing: enter a name.")
    champion = deployment.champion(app)
    with app.db.turn(TURN):
        with app.db.read() as connection:
            found = table.current(connection, app.settings.endpoint, champion.number) if champion else None
        if champion is None or found is None or found["alarm"] is None:
            raise NotFound("No drift alarm stands.")
        if _begun(app, champion) is None:
            raise NotFound(f"The test images of {champion.id} are missing: the drift watch cannot restart.")
        with app.db.write() as connection:
            table.update(connection, found["id"], {"acknowledged": datetime.now(UTC), "acknowledged_by": by})
