"""Labels come back from every format as they went out, once; what cannot be read is told by row."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scones_core.db import schema
from scones_core.domain.review import Status
from scones_core.errors import BadInput, NotFound
from scones_core.services import App, capture, etl, label_export, label_import, review
from scones_core.services.label_export import ExportFormat, LabelFilter
from tests.conftest import png
from tests.unit.test_ingest import line

KEPT = ("id", "label", "status", "reviewer", "time", "note", "strategy", "probability")


@pytest.fixture
def captured(app: App, images: Path) -> App:
    """Four captured images, “e” shows the same as “a”."""
    etl.load(app, str(images))
    files = [b"".join(line(id, image=png(n % 4, upright=True)) for n, id in enumerate("abcde"))]
    capture.ingest_files(app, files, classes=["bicycle", "motorcycle"])
    return app


@pytest.fixture
def labelled(captured: App) -> App:
    review.next_items(captured, "Zoë", count=4)
    review.decide(captured, "a", "bicycle", "Zoë", note="zwei Räder, “schräg”\n自行车, =1+1")
    review.decide(captured, "b", "motorcycle", "Zoë", note="'quoted")
    review.decide(captured, "c", "other", "Zoë")
    return captured


def wiped(app: App) -> None:
    with app.db.write() as connection:
        for table in (schema.reviewed_images, schema.leases, schema.decisions):
            connection.execute(table.delete())


def rows(app: App) -> list[dict[str, Any]]:
    return sorted(({name: row[name] for name in KEPT} for row in review.reviewed(app)), key=lambda row: row["id"])


def imported(app: App, tmp_path: Path, text: str | bytes, **more: Any) -> label_import.ImportedLabels:
    file = tmp_path / "labels"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return label_import.import_labels(app, file, **more)


@pytest.mark.parametrize("format", ExportFormat)
def test_an_export_brings_the_same_labels_back_and_twice_changes_nothing(
    labelled: App, tmp_path: Path, format: ExportFormat
):
    before, (text, count) = rows(labelled), label_export.export(labelled, format)
    assert imported(labelled, tmp_path, text) == label_import.ImportedLabels(0, 3, [])
    wiped(labelled)
    assert imported(labelled, tmp_path, text) == label_import.ImportedLabels(count, 0, [])
    assert rows(labelled) == before
    assert imported(labelled, tmp_path, text) == label_import.ImportedLabels(0, 3, [])
    assert {review.item(labelled, id).revision for id in "abc"} == {1}


def test_a_zip_of_class_folders_has_the_pictures_and_brings_the_labels_back(labelled: App, tmp_path: Path):
    data, count = label_export.folders(labelled)
    file = tmp_path / "labels.zip"
    file.write_bytes(data)
    with zipfile.ZipFile(file) as opened:
        names = opened.namelist()
        assert opened.read(names[-1]) == capture.image(labelled, "a")
    assert sorted(name.partition("/")[0] for name in names) == ["bicycle", "motorcycle", "other"]
    before = {row["id"]: row["label"] for row in rows(labelled)}
    wiped(labelled)
    assert label_import.import_labels(labelled, file, reviewer="Ann").new == count
    assert {row["label"] for row in rows(labelled)} == set(before.values())
    assert {row["reviewer"] for row in rows(labelled)} == {"Ann"}
    assert label_import.import_labels(labelled, file, reviewer="Ann") == label_import.ImportedLabels(0, 3, [])


@pytest.mark.parametrize(
    ("filter", "ids"),
    [
        (LabelFilter(reviewer="zoË"), "abc"),
        (LabelFilter(status=Status.RELABELLED), "bc"),
        (LabelFilter(model="imported", until=datetime.now(UTC) + timedelta(days=1)), "abc"),
    ],
)
def test_an_export_can_be_filtered(labelled: App, filter: LabelFilter, ids: str):
    assert sorted(row["id"] for row in label_export.labels(labelled, filter)) == list(ids)


def test_a_filter_that_nothing_fits_says_so(labelled: App):
    with pytest.raises(NotFound, match="fits the filter"):
        label_export.labels(labelled, LabelFilter(since=datetime.now(UTC) + timedelta(days=1)))


def manifest(**more: Any) -> dict[str, Any]:
    metadata = {
        "class-name": "bicycle",
        "human-annotated": "yes",
        "type": "groundtruth/image-classification",
        "id": "a",
    }
    return {"source-ref": "s3://elsewhere/x.png", "label": 0, "label-metadata": metadata} | more


META = manifest()["label-metadata"]


@pytest.mark.parametrize(
    "document",
    [
        manifest(),
        {"source-ref": "s3://elsewhere/x.png", "vehicle-type": 0, "vehicle-type-metadata": META},
        {"source-ref": "s3://elsewhere/x.png", "label": 0, "other-metadata": META},
        {"source\u200b-ref": "s3://elsewhere/x.png", "label\ufeff": 0, "\u200blabel-metadata": META},
        manifest(**{"label-metadata": META | {"creation-date": "2024-05-01T10:11:12.123456", "confidence": 0.7}}),
    ],
    ids=["no confidence", "own attribute", "metadata of another name", "invisible characters", "old time"],
)
def test_variants_of_ground_truth_are_read(captured: App, tmp_path: Path, document: dict[str, Any]):
    assert imported(captured, tmp_path, json.dumps(document)) == label_import.ImportedLabels(1, 0, [])
    [row] = rows(captured)
    assert (row["label"], row["reviewer"]) == ("bicycle", "imported")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"label": 0, "label-metadata": META}, "no “source-ref”"),
        ({"source-ref": "s3://b/x.png"}, "no label"),
        ({"source-ref": "s3://b/x.png", "label": 0}, "no “label-metadata” with its class name"),
        (manifest(**{"label-metadata": {"confidence": 1}}), "no “class-name”"),
        (manifest(second=1, **{"second-metadata": META}), "several labels"),
        (manifest(**{"label-metadata": META | {"human-annotated": "no"}}), "a model's"),
        (manifest(**{"label-metadata": META | {"class-name": "boat"}}), "choose bicycle, motorcycle"),
        (manifest(**{"label-metadata": META | {"creation-date": "yesterday"}}), "“yesterday” is not a time"),
        (manifest(**{"label-metadata": META | {"creation-date": "2999-01-01"}}), "in the future"),
        (manifest(**{"label-metadata": META | {"id": ""}}), "not in this home's bucket, “scones”"),
        (
            manifest(**{"source-ref": "s3://scones/pool/x.png", "label-metadata": META | {"id": "z"}}),
            "No captured image",
        ),
        ([], "not a JSON object"),
    ],
)
def test_a_row_that_cannot_be_used_says_why_and_the_next_is_read(
    captured: App, tmp_path: Path, document: Any, reason: str
):
    text = json.dumps(manifest(**{"label-metadata": META | {"id": "b"}})) + "\n" + json.dumps(document) + "\n{broken\n"
    found = imported(captured, tmp_path, text)
    assert [refused["row"] for refused in found.refused] == [2, 3]
    assert reason in found.refused[0]["reason"]
    assert (found.new, [row["id"] for row in rows(captured)]) == (1, ["b"])


def test_an_image_is_found_by_its_key_and_by_its_stored_copy(captured: App, tmp_path: Path):
    key = capture.stored_image(captured, "b")
    found = imported(captured, tmp_path, f"image,label\ns3://another/{key},motorcycle\n{key},motorcycle\n")
    assert (found.new, found.known) == (1, 1)
    assert [row["id"] for row in rows(captured)] == ["b"]


def test_label_studio_annotations_are_read_with_their_annotator(captured: App, tmp_path: Path):
    def task(id: str, *choices: str, **more: Any) -> dict[str, Any]:
        result = [{"type": "choices", "value": {"choices": list(choices)}}] if choices else []
        return {"data": {"image": "x"}, "meta": {"id": id}, "annotations": [{"result": result, **more}]}

    tasks = [
        task("a", "bicycle", completed_by={"email": "zoe@example.org"}, created_at="2024-05-01T10:00:00Z"),
        task("b", "bicycle", "motorcycle"),
        task("b", "bicycle", was_cancelled=True),
        task("c"),
        "x",
        task("c", "motorcycle", completed_by=7),
    ]
    found = imported(captured, tmp_path, json.dumps(tasks))
    assert found.new == 2
    assert [refused["row"] for refused in found.refused] == [2, 3, 4, 5]
    assert {row["reviewer"] for row in rows(captured)} == {"zoe@example.org", "Label Studio user 7"}


def test_a_newer_label_of_this_home_stays(labelled: App, tmp_path: Path):
    text = "id,label,reviewer,time\na,motorcycle,Ben,2024-01-01\nb,motorcycle,Ben,2024-01-01\n"
    found = imported(labelled, tmp_path, text)
    assert found.new == 1
    assert "newer label, “bicycle” by Zoë" in found.refused[0]["reason"]
    assert {row["id"]: row["label"] for row in rows(labelled)}["a"] == "bicycle"


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"hello\nworld\n", b"[1", b"PK\x03\x04broken"])
def test_what_is_no_label_file_is_refused_in_one_sentence(captured: App, tmp_path: Path, data: bytes):
    with pytest.raises(BadInput):
        imported(captured, tmp_path, data)


def test_spreadsheets_get_a_csv_that_they_read_as_utf_8(labelled: App):
    text, _rows = label_export.export(labelled, ExportFormat.CSV)
    assert text.startswith("\ufeff")
    assert "'=" not in text.splitlines()[0]
