"""Import of labels from a manifest, Label Studio's JSON, a CSV, or a zip with one folder per class."""

import hashlib
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scones_core import logs
from scones_core.db import label_import as table
from scones_core.db import reviews
from scones_core.domain.label_files import LabelRow, NotALabelFile, RefusedRow, rows_of
from scones_core.domain.review import Strategy, is_label
from scones_core.domain.votes import standing
from scones_core.errors import BadInput, SconesError
from scones_core.services import capture
from scones_core.services.app import App
from scones_core.services.review_items import ClassNames, checked_label
from scones_core.services.standing_labels import fold
from scones_core.sources.naming import printable
from scones_core.sources.tree import TreeLimits
from scones_core.sources.zip_files import zip_tree

LARGEST = 200 << 20  # bytes of a text file
IMPORTED = "imported"  # reviewer of labels whose file names none
_STORED = re.compile(re.escape(capture.REVIEWED) + r"([0-9a-f]{24})\.\w+$")
_BUCKET = re.compile(r"s3://([^/]+)/(.*)", re.DOTALL)


@dataclass
class ImportedLabels:
    """new, known : numbers of labels.  refused : {row, reason}, in the order of the rows."""

    new: int = 0
    known: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)


class _Refusal(Exception):
    """Why a row is refused."""


@logs.use_case
def import_labels(app: App, path: Path, *, reviewer: str | None = None) -> ImportedLabels:
    """Record the labels of a file on the captured images that they name; a label recorded before is known.

    An image is named by the id of one of its inferences, by its key in this bucket, or by its contents.
    reviewer : who gave the labels, where the file does not say. Raises BadInput for a file of no known format.
    """
    names, found = ClassNames(app), ImportedLabels()
    by = (reviewer or "").strip() or IMPORTED
    for row in _rows(path):
        if isinstance(row, RefusedRow):
            found.refused.append({"row": row.row, "reason": row.reason})
            continue
        try:
            new = _record(app, row, names, by)
        except (_Refusal, SconesError) as error:
            found.refused.append({"row": row.row, "reason": str(error)})
        else:
            found.new, found.known = found.new + new, found.known + (not new)
    return found


def import_upload(app: App, name: str, data: bytes, *, reviewer: str | None = None) -> ImportedLabels:
    """`import_labels` of an uploaded file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / (printable(Path(name).name) or "labels")
        file.write_bytes(data)
        return import_labels(app, file, reviewer=reviewer)


def _rows(path: Path) -> Iterable[LabelRow | RefusedRow]:
    try:
        with path.open("rb") as file:
            if file.read(4) == b"PK\x03\x04":
                return _pictures(path)
            file.seek(0)
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise BadInput(f"“{printable(path.name)}” cannot be read ({error.strerror}): name another file.") from None
    if len(data) > LARGEST:
        raise BadInput(f"“{printable(path.name)}” is larger than {LARGEST >> 20} MB: import it in parts.")
    try:
        return rows_of(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadInput(f"“{printable(path.name)}” is not text in UTF-8: save it so, and import it again.") from None
    except NotALabelFile as error:
        raise BadInput(f"“{printable(path.name)}” is not a label file. {error}") from None


def _pictures(path: Path) -> Iterable[LabelRow | RefusedRow]:
    """One row per picture of a zip: the innermost folder is its class, its contents name the image."""
    with zip_tree(path, TreeLimits()) as tree:
        for number, name in enumerate(tree.pictures(), start=1):
            folder = name.rpartition("/")[0].rpartition("/")[2]
            try:
                data = tree.files[name]()
            except SconesError as error:
                yield RefusedRow(number, f"{printable(name)}: {error}.")
                continue
            if not folder:
                yield RefusedRow(number, f"{printable(name)} lies in no folder that names its class.")
            else:
                yield LabelRow(number, folder, image=f"sha256:{hashlib.sha256(data).hexdigest()}")


def _record(app: App, row: LabelRow, names: ClassNames, by: str) -> bool:
    """Whether the label is new."""
    inference = _inference(app, row)
    label = checked_label(row.label, names.choices(inference))
    reviewer, time = row.reviewer or by, row.time
    if time is not None and time > datetime.now(UTC) + timedelta(days=1):
        raise _Refusal(f"Its time, {time:%Y-%m-%d %H:%M} UTC, is in the future.")
    stored = capture.stored_image(app, inference["event_id"]) if is_label(label) else None
    image = inference["image_sha256"]
    with app.db.write() as connection:
        before = [one for one in reviews.of_image(connection, image) if not one.undone]
        if any(one.label == label and one.reviewer == reviewer and time in (None, one.time) for one in before):
            return False
        current = standing(before)
        if current is not None and current.label != label and (time is None or time <= current.decision.time):
            said, who = (current.label or "a skip").lstrip("/"), current.decision.reviewer
            raise _Refusal(f"The image has a newer label, “{said}” by {who}, which stays.")
        reviews.append(connection, _decision(row, inference, names, label, reviewer, stored))
        fold(connection, inference, names)
    return True


def _decision(
    row: LabelRow, inference: Mapping[str, Any], names: ClassNames, label: str | None, reviewer: str, stored: str | None
) -> dict[str, Any]:
    text = f"{inference['event_id']}\n{label}\n{reviewer}\n{row.time}\n{row.note}"
    return {
        "event_id": inference["event_id"],
        "image_sha256": inference["image_sha256"],
        "action": "skip" if label is None else "label",
        "label": label,
        "reviewer": reviewer,
        "note": row.note,
        "time": row.time or datetime.now(UTC),
        "idempotency_key": f"import:{hashlib.sha256(text.encode()).hexdigest()}",
        "strategy": row.strategy if row.strategy in list(Strategy) else None,
        "probability": row.probability if row.strategy in list(Strategy) else None,
        "model": inference["model"],
        "classes": list(names.choices(inference)),
        "stored_key": stored,
    }


def _inference(app: App, row: LabelRow) -> Mapping[str, Any]:
    """The newest inference of the image that a row names."""
    with app.db.read() as connection:
        if row.id and (found := table.by_id(connection, row.id)):
            return found
        if row.image.startswith("sha256:"):
            found = table.by_sha256(connection, row.image.removeprefix("sha256:"))
            if not found:
                raise _Refusal("No captured image has the contents of this picture: ingest its capture first.")
            return found
        if not row.image:
            unknown = f"No captured inference “{row.id}”" if row.id else "The row names no image"
            raise _Refusal(f"{unknown}: it needs the id of a captured inference, or the place of its image.")
        bucket, key = _place(row.image)
        if stored := _STORED.search(key):
            found = table.by_sha256(connection, stored[1])
        elif bucket is not None and bucket != app.backend.objects.bucket:
            here = app.backend.objects.bucket
            raise _Refusal(
                f"“{row.image[:200]}” is not in this home's bucket, “{here}”: classify its image here first."
            )
        else:
            found = table.by_key(connection, key)
    if not found:
        raise _Refusal(f"No captured image “{row.image[:200]}”: classify the image, or ingest its capture, first.")
    return found


def _place(uri: str) -> tuple[str | None, str]:
    """Bucket and key of an S3 URI; a bare key has no bucket."""
    found = _BUCKET.fullmatch(uri)
    return (found[1], found[2]) if found else (None, uri)
