"""A temporary home with the generated sample, a trained model in service, and inferences."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from scones_core.bootstrap import open_app
from scones_core.db import embeddings
from scones_core.db import inferences as table
from scones_core.services import App, capture, classification, deployment, etl, registration, training
from scones_core.services.embedding_store import EXTRACTOR
from scones_core.settings import Settings

AT_ONCE = 20_000  # rows per transaction


@contextmanager
def empty() -> Iterator[App]:
    """An app in a temporary home, deleted after the block."""
    folder = Path(tempfile.mkdtemp(prefix="scones-benchmark-"))
    app = open_app(Settings(home=folder / "home"))
    try:
        yield app
    finally:
        app.close()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def deployed(pool_share: float | None = None) -> Iterator[App]:
    """An app with a model in service and no captures, deleted after the block. pool_share : as of `etl.load`."""
    with empty() as app:
        etl.load(app, "sample", pool_share=pool_share)
        job = training.start(app)
        registration.wait(app, job.name)
        deployment.deploy(app, training.model_of_job(app, job.name).id)
        yield app


def classify_all(app: App) -> int:
    """Send every test image through the workflow and ingest the captures; returns their number."""
    count = etl.get(app).test
    classification.classify(app, classification.sample_keys(app, count, seed=0))
    return capture.ingest(app).new


def add_inferences(app: App, first: int, last: int) -> None:
    """Captured inferences `first` to `last` of a fixed sequence, one a second, each of another image.

    The model in service made them, from the time on at which it came into service. The images do not exist, which is
    noted, as the app does after it has looked for each.
    """
    champion = training.model(app)
    start = deployment.in_service_since(app, champion) or datetime.now(UTC)
    with app.db.write() as connection:
        names = table.class_list_ids(connection, [champion.classes])[champion.classes]
    made = {"model": champion.number, "attribution": "model", "class_list": names}
    for begin in range(first, last, AT_ONCE):
        numbers = range(begin, min(last, begin + AT_ONCE))
        confidences = 0.5 + 0.5 * np.random.default_rng(begin).beta(5, 1, len(numbers))
        rows = [
            {**_row(start, number, float(value)), **made} for number, value in zip(numbers, confidences, strict=True)
        ]
        with app.db.write() as connection:
            table.add(connection, rows)
            images = [row["image_sha256"] for row in rows]
            embeddings.place(connection, EXTRACTOR, embeddings.UNREADABLE, images)


def _row(start: datetime, number: int, confidence: float) -> dict[str, Any]:
    time = start + timedelta(seconds=number)
    return {
        "event_id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))),
        "time": time,
        "endpoint": "scones-unlimited",
        "variant": "AllTraffic",
        "inference_id": None,
        "image_key": f"test/bicycle_s_{number:06}.png",
        "image_sha256": f"{number:064x}",
        "content_type": "image/png",
        "probabilities": [confidence, 1 - confidence] if number % 2 else [1 - confidence, confidence],
        "prediction": 0 if number % 2 else 1,
        "confidence": confidence,
        "margin": 2 * confidence - 1,
        "entropy": 0.1,
        "capture_key": f"datacapture/scones-unlimited/AllTraffic/{time:%Y/%m/%d/%H/%M-%S}-000-{number}.jsonl",
        "capture_line": 0,
        "capture_start": 0,
        "capture_end": 4_000,
    }
