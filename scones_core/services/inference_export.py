"""Captured inferences as CSV."""

import csv
import io
from datetime import datetime

from scones_core.db import inferences as table
from scones_core.services import monitoring
from scones_core.services.app import App
from scones_core.services.classification import class_name
from scones_core.services.label_export import cell

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


def captured_csv(app: App, *, since: datetime | None = None, model: str | None = None) -> str:
    """Inferences since a time (UTC), of a model as `monitoring.figures` takes it, oldest first; times in ISO 8601."""
    at = monitoring.threshold(app)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    with app.db.read() as connection:
        names = table.class_lists(connection)
        for row in table.captured_rows(connection, since, model=model):
            prediction = class_name(names.get(row.class_list or 0, ()), row.prediction)
            maker = f"v{row.model}" if row.model else row.attribution
            values = (row.time, row.image_key or "", row.image_sha256, prediction, row.confidence)
            writer.writerow(map(cell, (*values, row.confidence <= at, maker, row.endpoint, row.event_id)))
    return out.getvalue()
