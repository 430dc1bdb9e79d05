"""Captured inferences as CSV."""

import csv
import io
from datetime import UTC, datetime

from scones_core.services import App, capture, inference_export
from tests.unit.test_ingest import line


def rows(app: App, **chosen: datetime) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(inference_export.captured_csv(app, **chosen))))


def test_every_inference_is_a_row_with_its_time_image_and_model(app: App):
    capture.ingest_files(app, [line("a", 0.8) + line("b", 0.99, minute=5)], classes=["bicycle", "motorcycle"])
    first, second = rows(app)
    assert (first["time"], first["prediction"], first["confidence"], first["low_confidence"], first["model"]) == (
        "2026-01-01T12:00:00+00:00",
        "bicycle",
        "0.8",
        "True",
        "imported",
    )
    assert first["image_sha256"] == capture.inference(app, "a")["image_sha256"]
    assert second["low_confidence"] == "False"
    assert [row["event_id"] for row in rows(app, since=datetime(2026, 1, 1, 12, 1, tzinfo=UTC))] == ["b"]


def test_a_class_name_is_no_formula_of_a_spreadsheet(app: App):
    capture.ingest_files(app, [line("a")], classes=["=1+1", "motorcycle"])
    assert rows(app)[0]["prediction"] == "'=1+1"
