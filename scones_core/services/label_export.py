"""Export of reviewed labels: augmented manifest, Label Studio, CSV."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from scones_core.domain.review import OTHER
from scones_core.errors import NotFound
from scones_core.services import capture, review
from scones_core.services.app import App


class ExportFormat(StrEnum):
    MANIFEST = "manifest"
    LABEL_STUDIO = "label-studio"
    CSV = "csv"


def export(app: App, format: ExportFormat, *, model: str | None = None) -> tuple[str, int]:
    """The current labels as text, and their number.

    model : only labels of inferences of this model version. Raises NotFound if there are none.
    """
    rows = [row for row in review.reviewed(app, model=model) if row["label"] is not None]
    if not rows:
        raise NotFound("No reviewed labels to export yet: review some images first.")
    text = {ExportFormat.MANIFEST: _manifest, ExportFormat.LABEL_STUDIO: _label_studio, ExportFormat.CSV: _csv}[format]
    return text(app, rows), len(rows)


def _uri(app: App, row: dict[str, Any]) -> str:
    key = row["stored_key"] or (
        row["image"] if row["image"] != row["capture_key"] else capture.stored_image(app, row["id"])
    )
    return f"s3://{app.backend.objects.bucket}/{key}"


def _manifest(app: App, rows: Sequence[dict[str, Any]]) -> str:
    """Augmented manifest. Source: SageMaker Ground Truth, "Output data", image classification job output.

    A class has one number in the whole file: its index in the class names of the model that classified the newest
    image, then of other models. Images labelled with none of the classes have no number.
    """
    numbers = _numbers(rows)
    lines = []
    for row in rows:
        metadata = {
            "class-name": row["label_text"],
            "confidence": 1.0,
            "type": "groundtruth/image-classification",
            "human-annotated": "yes",
            "creation-date": row["time"].strftime("%Y-%m-%dT%H:%M:%S.%f"),
            "job-name": "scones-review",
            "model": row["model"],
        }
        number = {} if row["label"] == OTHER else {"label": numbers[row["label"]]}
        lines.append({"source-ref": _uri(app, row), **number, "label-metadata": metadata})
    return "".join(json.dumps(line) + "\n" for line in lines)


def _numbers(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Class name → number."""
    names = [name for row in rows for name in row["classes"]]
    names += [row["label"] for row in rows if row["label"] != OTHER]  # older app versions stored no names
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _label_studio(app: App, rows: Sequence[dict[str, Any]]) -> str:
    """Label Studio tasks with annotations and predictions. Source: Label Studio, "Import pre-annotated data"."""

    def choice(label: str) -> list[dict[str, Any]]:
        return [{"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": [label]}}]

    tasks = [
        {
            "data": {"image": _uri(app, row)},
            "annotations": [{"result": choice(row["label_text"])}],
            "predictions": [
                {"result": choice(row["prediction"]), "score": row["confidence"], "model_version": row["model"]}
            ],
            "meta": {"reviewer": row["reviewer"], "time": row["time"].isoformat()},
        }
        for row in rows
    ]
    return json.dumps(tasks, indent=1)


def _csv(_app: App, rows: Sequence[dict[str, Any]]) -> str:
    columns = ("id", "image", "model", "prediction", "confidence", "label", "status", "reviewer", "time", "strategy")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([cell(row[_FROM.get(column, column)]) for column in columns] for row in rows)
    return out.getvalue()


_FROM = {"label": "label_text"}


def cell(value: Any) -> Any:
    """Quotes text that a spreadsheet would run as a formula."""
    if isinstance(value, datetime):
        return value.isoformat()
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value
