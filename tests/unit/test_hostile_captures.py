"""Captures of any origin: what cannot be read is put aside by line, and nobody is asked about what is no picture."""

import base64
import gzip
import io
import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scones_core.errors import BadImage, BadInput, SconesError
from scones_core.services import (
    App,
    batch,
    capture,
    capture_reading,
    classification,
    etl,
    machines,
    monitoring,
    retraining,
    review,
    review_figures,
)
from scones_core.ui.shell.images import enlarged
from tests.conftest import png
from tests.unit.test_ingest import line, put

BICYCLE, MOTORCYCLE = "bicycle", "motorcycle"


def answered(output: Any, event: str = "a", image: bytes | None = None) -> bytes:
    document = json.loads(line(event, image=image))
    document["captureData"]["endpointOutput"]["data"] = json.dumps(output)
    return json.dumps(document).encode() + b"\n"


def saved(format: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(buffer, format)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


HUGE = (
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)) + chunk(b"IDAT", b"")
)
GOOD = png(1, upright=True)
BROKEN = GOOD[:60] + b"\xff\xfe-F" * 30 + GOOD[180:]
NO_PICTURES = {
    "bomb": HUGE,
    "broken": BROKEN,
    "cut": saved("JPEG")[:200],
    "png": b"\x89PNG\r\n\x1a\n",
    "jpeg": b"\xff\xd8\xff",
    "webp": b"RIFF\x00\x00\x00\x00WEBP",
}


def test_what_cannot_be_decoded_is_counted_and_offered_to_nobody(serving: App):
    put(serving, "2026/01/01/12/a.jsonl", b"".join(line(name, image=data) for name, data in NO_PICTURES.items()))
    put(serving, "2026/01/01/12/b.jsonl", line("good", confidence=0.9))
    assert capture.ingest(serving).new == len(NO_PICTURES) + 1
    assert [item.id for item in review.next_items(serving, "ann", count=9)] == ["good"]
    assert [item.id for item in review.next_items(serving, "ann", count=9)] == ["good"]
    assert review_figures.queue(serving).pending == 1
    assert len(capture.put_aside(serving)) == len(NO_PICTURES)
    for name in NO_PICTURES:
        with pytest.raises(BadImage):
            review.decide(serving, name, BICYCLE, "ann")
    review.decide(serving, "good", BICYCLE, "ann")
    assert retraining.new_dataset(serving).new_labels == 1


def test_a_gif_is_no_picture_for_the_model_and_is_put_aside(app: App):
    found = capture.ingest_files(app, [line("a", image=saved("GIF")) + line("b")])
    assert (found.new, found.quarantined) == (1, 1)


def test_a_copy_that_an_older_version_made_of_what_is_no_picture_is_left_out(serving: App):
    put(serving, "2026/01/01/12/a.jsonl", line("a") + line("b"))
    capture.ingest(serving)
    for id in "ab":
        review.decide(serving, id, BICYCLE, "ann")
    [first, _] = list(serving.backend.objects.list("train/reviewed/"))
    sha256 = "0" * 64
    row = capture.inference(serving, "a")
    with serving.db.write() as connection:
        for table in ("inferences", "decisions", "reviewed_images"):
            connection.exec_driver_sql(f"UPDATE {table} SET image_sha256 = '{sha256}' WHERE event_id = 'a'")
    serving.backend.objects.delete(f"train/reviewed/{row['image_sha256'][:24]}.png")
    serving.backend.objects.put(f"train/reviewed/{sha256[:24]}.png", BROKEN)
    assert first.key
    version = retraining.new_dataset(serving)
    assert (version.new_labels, len(version.skipped)) == (1, 1)


@pytest.mark.parametrize("data", [*NO_PICTURES.values(), b"", b"no picture"])
def test_what_cannot_be_decoded_is_an_empty_tile(data: bytes):
    assert enlarged(data) == enlarged(b"")


@pytest.mark.parametrize("data", [HUGE, BROKEN, saved("GIF"), saved("JPEG")[:200]])
def test_what_cannot_be_decoded_is_refused_at_upload_by_its_name(app: App, data: bytes):
    with pytest.raises(BadImage, match=r"“a\.png”"):
        classification.upload(app, "a.png", data)


# Class names


@pytest.mark.parametrize("classes", [(BICYCLE, MOTORCYCLE), (MOTORCYCLE, BICYCLE), None])
@pytest.mark.parametrize("labels", [[BICYCLE, MOTORCYCLE], [MOTORCYCLE, BICYCLE]])
def test_labels_that_come_with_an_answer_decide(app: App, classes: tuple[str, str] | None, labels: list[str]):
    scores = [0.9 if label == MOTORCYCLE else 0.1 for label in labels]
    capture.ingest_files(app, [answered({"labels": labels, "scores": scores})], classes=classes)
    [item] = review.next_items(app, "ann")
    assert (item.prediction, item.confidence) == (MOTORCYCLE, 0.9)


@pytest.mark.parametrize("labels", [["/other", BICYCLE], ["skip\n", BICYCLE], ["a/b", BICYCLE], ["car", BICYCLE]])
def test_labels_that_are_no_class_names_are_put_aside(app: App, labels: list[str]):
    answer = answered({"labels": labels, "scores": [0.9, 0.1]})
    assert capture.ingest_files(app, [answer], classes=(BICYCLE, MOTORCYCLE)).quarantined == 1


def test_labels_that_are_numbers_are_class_indices(app: App):
    scores = {str(number): 0.8 if number == 2 else 0.02 for number in range(11)}
    names = [f"c{number}" for number in range(11)]
    capture.ingest_files(app, [answered(scores)], classes=names)
    assert review.next_items(app, "ann")[0].prediction == "c2"


@pytest.mark.parametrize("classes", [("a", "a"), ("skip", ""), ("/other", "a"), ("a",)])
def test_class_names_that_cannot_be_used_are_refused_before_anything_is_stored(app: App, classes: tuple[str, ...]):
    with pytest.raises(BadInput):
        capture.ingest_files(app, [line("a")], classes=classes)
    assert not list(app.backend.objects.list("captures/"))
    capture.ingest_files(app, [line("a")])
    with pytest.raises(BadInput):
        capture.name_classes(app, classes)


def test_an_endpoint_of_no_name_is_refused(app: App):
    for name in ("\udcff", "a b", "x" * 64, ""):
        with pytest.raises(BadInput, match="not an endpoint name"):
            capture.ingest_files(app, [line("a")], endpoint=name)


# Forms of files


def test_all_members_of_a_compressed_file_are_read(app: App):
    members = [gzip.compress(line(name)) for name in "abc"]
    assert capture.ingest_files(app, [b"".join(members)]).new == 3


def test_a_compressed_file_that_is_cut_short_is_refused(app: App):
    whole = gzip.compress(b"".join(line(name) for name in "abcd"))
    for length in (10, len(whole) // 2, len(whole) - 4):
        with pytest.raises(BadInput, match="truncated"):
            capture.ingest_files(app, [whole[:length]])


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_records_printed_over_several_lines_are_read(app: App, mark: bytes):
    records = [json.loads(line(name)) for name in "abc"]
    forms = [
        "\n".join(json.dumps(record, indent=2) for record in records[:2]),
        json.dumps([{**records[2]}], indent=1),
        json.dumps([json.loads(line("d"))]),
    ]
    assert capture.ingest_files(app, [mark + form.encode() for form in forms]).new == 4


def test_what_lies_too_deep_is_put_aside(app: App):
    deep = b'{\n"a": ' + b"[" * 9_986 + b"]" * 9_986 + b"}"
    assert capture.ingest_files(app, [deep]).new == 0


def test_a_file_of_nothing_but_bad_lines_keeps_the_first_reasons_and_counts_the_rest(
    app: App, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(capture_reading, "MOST_REJECTED", 3)
    capture.ingest_files(app, [b"x\n" * 10 + b"\n" * 1_000_000 + line("a") + b"x\n"])
    rows = capture.put_aside(app)
    assert [row["line"] for row in rows] == [1, 2, 3, 1_000_012]
    assert rows[-1]["reason"].startswith("8 more unreadable lines of this file")
    assert capture.captured(app) == 1


def test_lists_of_nothing_unpack_to_nothing(app: App):
    assert capture.ingest_files(app, [gzip.compress(b"[" + b"[]," * 2_000_000 + b"[]]")]).quarantined == 0


# Keys and links


@pytest.mark.parametrize("key", ["x" * 300, "a/" + "é" * 200 + "/b.png", "\udcff.png"])
def test_a_key_that_no_file_can_have_is_no_object(serving: App, key: str):
    with pytest.raises(SconesError):
        serving.backend.objects.get(key)
    with pytest.raises(SconesError):
        batch.start(serving, prefix=key + "/")
    with pytest.raises(BadInput):
        serving.backend.objects.put(key, b"x")


def test_an_execution_with_a_long_key_fails_by_itself(serving: App):
    given = {"image_data": "", "s3_bucket": "scones", "s3_key": "x" * 300}
    name = machines.start(serving, "classify_image", json.dumps(given)).name
    while (found := classification.describe(serving, name)).stopped is None:
        pass
    assert found.status == "FAILED"


def test_dead_links_and_pipes_among_the_captures_are_passed_over(app: App):
    put(app, "2026/01/01/12/a.jsonl", line("a"))
    [file] = Path(app.settings.home).rglob("a.jsonl")
    file.with_name("dead.jsonl").symlink_to(file.with_name("gone"))
    os.mkfifo(file.with_name("pipe.jsonl"))
    assert capture.ingest(app).new == 1
    assert monitoring.figures(app).inferences == 1


def test_the_image_of_base64_with_odd_characters_is_no_image(app: App):
    document = json.loads(line("a"))
    document["captureData"]["endpointInput"]["data"] = base64.b64encode(GOOD).decode()[:-3] + "é=="
    assert capture.ingest_files(app, [json.dumps(document).encode()]).quarantined == 1


def test_capture_files_are_durable_before_their_inferences_count(app: App, monkeypatch: pytest.MonkeyPatch):
    put(app, "2026/01/01/12/a.jsonl", line("a"))

    def power_cut(_keys: object) -> None:
        raise OSError("the power is gone")

    with monkeypatch.context() as cut:
        cut.setattr(app.backend.objects, "make_durable", power_cut)
        with pytest.raises(OSError, match="power"):
            capture.ingest(app)
    assert capture.captured(app) == 0
    assert capture.ingest(app).new == 1


def test_many_files_of_one_name_are_all_loaded(app: App, tmp_path: Path):
    for number in range(40):
        folder = tmp_path / "images" / (BICYCLE if number % 2 else MOTORCYCLE) / f"subject{number:03}"
        folder.mkdir(parents=True)
        (folder / "photo.png").write_bytes(png(number, upright=bool(number % 2)))
    version = etl.load(app, str(tmp_path / "images"))
    assert version.train + version.test == 40
