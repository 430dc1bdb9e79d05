"""Drift watches and audits on both databases."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from scones_core.db import audits, drift_watches, evidence, inferences
from scones_core.db.reviews import append
from scones_core.db.schema import (
    dataset_images,
    dataset_versions,
    model_versions,
    review_queues,
    reviewed_images,
    training_jobs,
)
from scones_core.services import App
from tests.conftest import on_every_database

START = datetime(2026, 1, 1, tzinfo=UTC)


def row(number: int) -> dict[str, object]:
    confidence = 0.5 + number / 100
    return {
        "event_id": f"e{number:03}",
        "time": START + timedelta(seconds=number),
        "endpoint": "here",
        "variant": "AllTraffic",
        "image_sha256": f"{number % 30:064x}",
        "content_type": "image/png",
        "probabilities": [confidence, 1 - confidence],
        "prediction": 0,
        "confidence": confidence,
        "margin": 0.1,
        "entropy": 0.1,
        "capture_key": "captures/a.jsonl",
        "capture_line": number,
        "model": 1,
        "attribution": "model",
        "class_list": None,
    }


@pytest.fixture
def filled(app: App) -> App:
    """Forty inferences of a model that was trained on the first image; ten images were captured twice."""
    dataset = {"id": "d", "created": START, "classes": ["a", "b"], "source": "", "generated": True}
    dataset |= {"train": 1, "test": 0, "new_labels": 0, "skipped": []}
    version = {"number": 1, "created": START, "training_job": "t", "dataset": "d", "hyperparameters": {}, "metrics": {}}
    version |= {"artifact_key": "k", "artifact_sha256": "s", "approval": "Approved"}
    image = {"dataset": "d", "key": "train/a.png", "split": "train", "class_index": 0, "sha256": f"{0:064x}"}
    with app.db.write() as connection:
        connection.execute(sa.insert(dataset_versions), dataset)
        connection.execute(sa.insert(dataset_images), image)
        connection.execute(sa.insert(training_jobs), {"name": "t", "dataset": "d", "created": START})
        connection.execute(sa.insert(model_versions), version)
        inferences.add(connection, [row(number) for number in range(40)])
    return app


def watch(app: App) -> dict[str, object]:
    values = {"endpoint": "here", "model": 1, "started": START, "reference": 20, "observed": 0, "state": b"\x00\xff"}
    with app.db.write() as connection:
        return {**values, "id": drift_watches.add(connection, values)}


@on_every_database
def test_what_no_watch_has_seen_comes_in_order_and_thinned_beyond_the_limit(filled: App):
    with filled.db.read() as connection:
        every = drift_watches.unwatched(connection, "here", 1, "d", START, 100)
        some = drift_watches.unwatched(connection, "here", 1, "d", START, 10)
    assert [found["event_id"] for found in every] == [f"e{number:03}" for number in range(40) if number % 30]
    assert 8 <= len(some) <= 10
    assert [found["event_id"] for found in some] == sorted(found["event_id"] for found in some)


@on_every_database
def test_an_image_that_was_seen_is_not_seen_again(filled: App):
    made = watch(filled)
    seen = {"watch": made["id"], "model": 1, "brightness": 0.1, "contrast": 0.1, "edges": 0.1, "colour": 0.1}
    rows = [row(number) for number in range(1, 30)]
    kept = [{name: found[name] for name in ("event_id", "image_sha256", "time")} for found in rows]
    with filled.db.write() as connection:
        statistics = [{**seen, "number": number, **found} for number, found in enumerate(kept)]
        drift_watches.add_statistics(connection, statistics)
        drift_watches.update(connection, int(str(made["id"])), {"alarm": {"changes": []}, "alarm_time": START})
    with filled.db.read() as connection:
        assert drift_watches.unwatched(connection, "here", 1, "d", START, 100) == []
        found = drift_watches.current(connection, "here", 1)
        assert found is not None
        assert (found["state"], found["alarm"], found["alarm_time"]) == (b"\x00\xff", {"changes": []}, START)
        assert drift_watches.events(connection, found["id"], 3, 5) == ["e004", "e005", "e006"]
        assert drift_watches.time_of(connection, found["id"], 3) == START + timedelta(seconds=4)
        assert drift_watches.before(connection, found) is None


@on_every_database
def test_an_audit_knows_its_answers(filled: App):
    queue = {"name": "q", "strategy": "audit", "created": START, "created_by": "ann", "filter": {}}
    values = {"created": START, "created_by": "ann", "kind": "accuracy", "model": 1, "seed": 1, "until": START}
    values |= {"cut": 0.0, "labels": 2, "inferences": 40, "population": b"p"}
    items = [{"event_id": f"e{number:03}", "row": number, "probability": 0.5} for number in (5, 7)]
    label = {"image_sha256": f"{5:064x}", "event_id": "e005", "label": "a", "status": "confirmed"}
    with filled.db.write() as connection:
        id = connection.execute(sa.insert(review_queues).values(queue).returning(review_queues.c.id)).scalar_one()
        audits.add(connection, {**values, "queue": id}, items)
        decision = {"event_id": "e005", "image_sha256": f"{5:064x}", "action": "label", "label": "a", "reviewer": "ann"}
        made = append(connection, {**decision, "note": "", "time": START})
        connection.execute(sa.insert(reviewed_images), {**label, "decision": made, "reviewer": "ann", "time": START})
    with filled.db.read() as connection:
        [audit] = audits.listed(connection, 1)
        answers = audits.answers(connection, audit)
        assert [(one.row, one.label, bool(one.decided)) for one in answers] == [(5, "a", True), (7, None, False)]
        until = START + timedelta(days=1)
        assert len(audits.population(connection, "here", 1, None, until)) == 40
        assert np.sort(
            audits.confidences(connection, "here", 1, START + timedelta(seconds=38), until)
        ) == pytest.approx([0.88, 0.89])
        count, confidences, variances = inferences.confidence_sums(connection, "here", 1, START)
        assert (count, confidences) == (40, pytest.approx(40 * 0.5 + 7.8))
        assert variances > 0
        assert evidence.newest(connection) == START + timedelta(seconds=39)
