"""Captured inferences as CSV and as JSON Lines."""

import csv
import io
import json
from datetime import UTC, datetime

from scones_core.domain.inference_filter import InferenceFilter
from scones_core.services import App, capture, inference_export
from tests.unit.test_ingest import line


def rows(app: App, which: InferenceFilter | None = None) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(inference_export.captured_csv(app, which))))


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
    late = InferenceFilter(since=datetime(2026, 1, 1, 12, 1, tzinfo=UTC))
    assert [row["event_id"] for row in rows(app, late)] == ["b"]


def test_a_class_name_is_no_formula_of_a_spreadsheet(app: App):
    capture.ingest_files(app, [line("a")], classes=["=1+1", "motorcycle"])
    assert rows(app)[0]["prediction"] == "'=1+1"


def test_json_lines_lose_nothing(app: App):
    capture.ingest_files(app, [line("a", 0.1 + 0.7) + line("é\u2028", minute=5)], classes=["=1+1", "motorcycle"])
    found = [json.loads(text) for text in inference_export.captured_jsonl(app).split("\n")[:-1]]
    assert [row["event_id"] for row in found] == ["a", "é\u2028"]
    for row in found:
        stored = capture.inference(app, row["event_id"])
        assert datetime.fromisoformat(row["time"]) == stored["time"]
        assert (row["prediction"], row["classes"]) == ("=1+1", ["=1+1", "motorcycle"])
        for name in ("probabilities", "confidence", "margin", "entropy", "image_sha256", "capture_key", "capture_end"):
            assert row[name] == stored[name]
