"""Captured inferences as CSV, for spreadsheets, and as JSON Lines, without loss."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from scones_core.db import inferences as table
from scones_core.db.schema import inferences
from scones_core.domain.inference_filter import InferenceFilter, class_name
from scones_core.services import monitoring
from scones_core.services.app import App
from scones_core.services.label_export import cell

FIELDS = list(inferences.c.keys())
COLUMNS = (
    "time",
    "image",
    "image_sha256",
    "prediction",
    "confidence",
    "low_confidence",
    "model",
    "endpoint",
    "event_id",
)


def captured_csv(app: App, which: InferenceFilter | None = None) -> str:
    """The inferences that a filter leaves, oldest first; times in ISO 8601, texts that no spreadsheet runs."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in _rows(app, which or InferenceFilter()):
        writer.writerow([cell(row["image_key"] or "" if name == "image" else row[name]) for name in COLUMNS])
    return out.getvalue()


def captured_jsonl(app: App, which: InferenceFilter | None = None) -> str:
    """The same, one JSON object per line, with all that is known of each: probabilities, class names, place of capture.

    prediction : the class by name.  class_index : its place in `probabilities`.
    """
    lines = (json.dumps({**row, "time": row["time"].isoformat()}) for row in _rows(app, which or InferenceFilter()))
    return "".join(f"{line}\n" for line in lines)


def _rows(app: App, which: InferenceFilter) -> Iterator[dict[str, Any]]:
    at = monitoring.threshold(app)
    with app.db.read() as connection:
        lists = table.class_lists(connection)
        for row in table.rows(connection, table.matching(which, lists, at), oldest_first=True):
            yield _described(row, lists, at)


def _described(row: sa.Row[Any], lists: dict[int, tuple[str, ...]], at: float) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in FIELDS if name != "class_list"}
    names = lists.get(row.class_list or 0, ())
    return {
        **values,
        "prediction": class_name(names, row.prediction),
        "class_index": row.prediction,
        "classes": list(names) or None,
        "low_confidence": row.confidence <= at,
        "model": f"v{row.model}" if row.model is not None else row.attribution,
    }
