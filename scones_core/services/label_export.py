"""Export of reviewed labels: augmented manifest, Label Studio, CSV, pictures in one folder per class."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from scones_core.domain.review import OTHER, Status
from scones_core.errors import NotFound, SconesError
from scones_core.services import capture, review
from scones_core.services.app import App


class ExportFormat(StrEnum):
    MANIFEST = "manifest"
    LABEL_STUDIO = "label-studio"
    CSV = "csv"


FOLDERS = "folders"  # a zip of pictures, beside these formats of text


@dataclass(frozen=True)
class LabelFilter:
    """Which labels to export; None: any.

    model : of inferences of this model version, or "imported", …  since, until : of the decision, UTC, included.
    """

    model: str | None = None
    reviewer: str | None = None
    status: Status | None = None
    since: datetime | None = None
    until: datetime | None = None

    def fits(self, row: Mapping[str, Any]) -> bool:
        return (
            (self.reviewer is None or row["reviewer"].casefold() == self.reviewer.casefold())
            and (self.status is None or row["status"] == self.status)
            and (self.since is None or row["time"] >= self.since)
            and (self.until is None or row["time"] <= self.until)
        )


EVERYTHING = LabelFilter()


def export(
    app: App, format: ExportFormat, *, model: str | None = None, filter: LabelFilter = EVERYTHING
) -> tuple[str, int]:
    """The current labels as text, and their number.

    model : only labels of inferences of this model version. Raises NotFound if there are none.
    """
    rows = labels(app, replace(filter, model=model or filter.model))
    text = {ExportFormat.MANIFEST: _manifest, ExportFormat.LABEL_STUDIO: _label_studio, ExportFormat.CSV: _csv}[format]
    return text(app, rows), len(rows)


def labels(app: App, filter: LabelFilter = EVERYTHING) -> list[dict[str, Any]]:
    """The current labels that a filter lets through, newest first. Raises NotFound if there are none."""
    rows = [row for row in review.reviewed(app, model=filter.model) if row["label"] is not None and filter.fits(row)]
    if not rows:
        known = "No reviewed labels to export yet: review some images first."
        raise NotFound(known if filter == EVERYTHING else "No reviewed label fits the filter: widen it.")
    return rows


def folders(app: App, filter: LabelFilter = EVERYTHING) -> tuple[bytes, int]:
    """A zip of the labelled pictures, one folder per class, and their number; a missing picture is left out.

    Names are those of the contents, so that the zip can be imported. Raises NotFound if there is none.
    """
    written, count = io.BytesIO(), 0
    rows = labels(app, filter)
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as out:
        for row in rows:
            try:
                key = capture.stored_image(app, row["id"])
            except SconesError:
                continue
            suffix = key.rpartition(".")[2]
            entry = zipfile.ZipInfo(f"{row['label_text']}/{row['image_sha256'][:24]}.{suffix}", (1980, 1, 1, 0, 0, 0))
            out.writestr(entry, app.backend.objects.get(key))
            count += 1
    return written.getvalue(), count


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
            **_details(row),
        }
        number = {} if row["label"] == OTHER else {"label": numbers[row["label"]]}
        lines.append({"source-ref": _uri(app, row), **number, "label-metadata": metadata})
    return "".join(json.dumps(line) + "\n" for line in lines)


def _details(row: Mapping[str, Any]) -> dict[str, Any]:
    """What this app knows of a label beyond a format's own fields; `label_import` reads it back."""
    names = ("id", "reviewer", "note", "strategy", "probability")
    return {name: row[name] for name in names if row[name] not in (None, "")}


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
            "id": number,  # Label Studio's converter needs one
            "data": {"image": _uri(app, row)},
            "annotations": [{"result": choice(row["label_text"])}],
            "predictions": [
                {"result": choice(row["prediction"]), "score": row["confidence"], "model_version": row["model"]}
            ],
            "meta": {"time": row["time"].isoformat(), **_details(row)},
        }
        for number, row in enumerate(rows, start=1)
    ]
    return json.dumps(tasks, indent=1)


_COLUMNS = (
    "id",
    "image",
    "model",
    "prediction",
    "confidence",
    "label",
    "status",
    "reviewer",
    "time",
    "strategy",
    "probability",
    "note",
)
_BOM = "\ufeff"  # without it, Excel reads UTF-8 as the machine's own encoding


def _csv(_app: App, rows: Sequence[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for row in rows:
        shown = row | {"label": row["label_text"]}
        if row["image"] == row["capture_key"] and row["stored_key"]:
            shown["image"] = row["stored_key"]  # a capture file holds many images
        writer.writerow([cell(shown[column]) for column in _COLUMNS])
    return _BOM + out.getvalue()


def cell(value: Any) -> Any:
    """Quotes text that a spreadsheet would run as a formula; and what starts with the quote, to tell them apart."""
    if isinstance(value, datetime):
        return value.isoformat()
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "'")) else value
