"""Labels that exist already become a dataset: augmented manifests and other label files as a source."""

import json
from pathlib import Path
from typing import Any

import pytest

from scones_core.errors import BadInput, NotFound
from scones_core.services import App, etl, label_export, review
from scones_core.services.label_export import ExportFormat
from tests.conftest import png

CLASSES = ("bicycle", "motorcycle")
ZERO_WIDTH = "\u200b"


def row(image: str, label: str, attribute: str = "label", **extra: Any) -> dict[str, Any]:
    return {
        "source-ref": image,
        attribute: CLASSES.index(label),
        f"{attribute}-metadata": {"class-name": label},
    } | extra


def labelled(folder: Path, count: int = 12) -> list[dict[str, Any]]:
    """Pictures beside the manifest, and their rows."""
    rows = []
    for n in range(2 * count):
        label = CLASSES[n % 2]
        (folder / f"{n:02}.png").write_bytes(png(n, upright=label == "bicycle"))
        rows.append(row(f"{n:02}.png", label))
    return rows


def written(file: Path, rows: list[Any]) -> Path:
    file.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in rows))
    return file


def test_a_manifest_beside_its_images_becomes_a_dataset(app: App, tmp_path: Path):
    version = etl.load(app, str(written(tmp_path / "labels.manifest", labelled(tmp_path))))
    assert version.classes == CLASSES
    assert version.source == "labels.manifest"
    assert version.train + version.test == 24
    assert version.test >= 2
    assert version.skipped == ()


def test_each_row_that_cannot_be_used_says_why_and_the_others_are_loaded(app: App, tmp_path: Path):
    here, bucket = labelled(tmp_path), app.backend.objects.bucket
    app.backend.objects.put("given/a.png", png(70, upright=True))
    (tmp_path / "their").mkdir()
    (tmp_path / "their" / "b.png").write_bytes(png(71, upright=True))
    (tmp_path.parent / "outside.png").write_bytes(png(72, upright=True))
    usable = [
        row(f"s3://{bucket}/given/a.png", "bicycle"),
        row("s3://another-account/their/b.png", "bicycle", f"job{ZERO_WIDTH}-1"),  # its copy lies beside the manifest
    ]
    refused = [
        (row("s3://another-account/c.png", "bicycle"), "neither in this home's bucket"),
        (row(f"s3://{bucket}/given/none.png", "bicycle"), "cannot be read"),
        (row("none.png", "bicycle"), "is not beside the label file"),
        (row("../outside.png", "bicycle"), "is not beside the label file"),
        ("{not json", "not JSON"),
        ({"source-ref": "00.png"}, "has no label"),
        ({"source-ref": "00.png", "label": 1}, "no “label-metadata”"),
        ({"source-ref": "00.png", "label-metadata": {"class-name": "other"}}, "is no class"),
        (row("00.png", "motorcycle"), "the same picture is labelled"),
    ]
    file = written(tmp_path / "labels.manifest", [*here, *usable, *(one for one, _ in refused)])
    version = etl.load(app, str(file))
    assert version.train + version.test == 26
    reasons = [str(one["reason"]) for one in version.skipped]
    assert len(reasons) == len(refused)
    for _, reason in refused:
        assert any(reason in said for said in reasons), (reason, reasons)


def test_splits_that_the_keys_name_are_kept(app: App, tmp_path: Path):
    rows = []
    for split, seed in (("train", 0), ("test", 50)):
        (tmp_path / split).mkdir()
        for n, label in enumerate(CLASSES * 3):
            (tmp_path / split / f"{n}.png").write_bytes(png(seed + n, upright=label == "bicycle"))
            rows.append(row(f"{split}/{n}.png", label))
    version = etl.load(app, str(written(tmp_path / "labels.manifest", rows)))
    assert (version.train, version.test) == (6, 6)


@pytest.mark.parametrize("format", [ExportFormat.MANIFEST, ExportFormat.CSV, ExportFormat.LABEL_STUDIO])
def test_exported_labels_become_a_dataset_from_the_bucket(captured: App, format: ExportFormat):
    for n, item in enumerate(review.next_items(captured, "Ann", count=12)):
        review.decide(captured, item.id, CLASSES[n % 2], "Ann")
    text, rows = label_export.export(captured, format)
    captured.backend.objects.put("exports/labels.txt", text.encode())
    version = etl.load(captured, f"s3://{captured.backend.objects.bucket}/exports/labels.txt")
    assert version.train + version.test == rows
    assert version.classes == CLASSES


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"source-ref": "a.png"}], "no usable row"),
        ([row("a.png", "bicycle")], "at least 2 classes"),
        ([row("a.png", "bicycle"), row("b.png", "motorcycle")], "no usable image"),
    ],
)
def test_a_manifest_of_which_nothing_can_be_used_is_refused_in_one_sentence(
    app: App, tmp_path: Path, rows: list[Any], message: str
):
    with pytest.raises(BadInput, match=message):
        etl.load(app, str(written(tmp_path / "labels.manifest", rows)))


def test_an_address_that_is_not_in_the_bucket_is_refused(app: App):
    with pytest.raises(BadInput, match="is not in this home's bucket"):
        etl.load(app, "s3://another/labels.manifest")
    with pytest.raises((BadInput, NotFound), match="cannot be read"):
        etl.load(app, f"s3://{app.backend.objects.bucket}/labels.manifest")
