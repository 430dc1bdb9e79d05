"""Captured records go into the database once each, however often they are read."""

import gzip
import json
from datetime import UTC, datetime

import pytest

from scones_core.db import inferences as table
from scones_core.domain import capture as domain
from scones_core.errors import BadInput
from scones_core.services import App, capture, capture_reading, monitoring
from tests.conftest import on_every_database, png

pytestmark = on_every_database


def line(event_id: str, confidence: float = 0.8, *, image: bytes | None = None, minute: int = 0) -> bytes:
    document = domain.record(
        event_id=event_id,
        time=datetime(2026, 1, 1, 12, minute, tzinfo=UTC),
        body=image or png(sum(event_id.encode()), upright=True),
        content_type="image/png",
        response=json.dumps([confidence, 1 - confidence]),
        inference_id=None,
        custom_attributes=None,
    )
    return json.dumps(document).encode() + b"\n"


def put(app: App, name: str, data: bytes) -> None:
    app.backend.objects.put(f"{app.backend.endpoints.capture_prefix}scones-unlimited/AllTraffic/{name}", data)


def test_a_record_is_counted_once_however_often_it_is_read(app: App):
    put(app, "2026/01/01/12/a.jsonl", line("a") + line("b"))
    assert capture.ingest(app) == capture.Ingested(new=2, duplicates=0, quarantined=0)
    assert capture.ingest(app) == capture.Ingested(new=0, duplicates=0, quarantined=0)
    put(app, "2026/01/01/12/copy.jsonl", line("a"))
    assert capture.ingest(app) == capture.Ingested(new=0, duplicates=1, quarantined=0)
    assert capture.captured(app) == 2


def test_records_of_several_transactions_and_statements_are_all_kept(app: App, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(capture, "ROWS_AT_ONCE", 50)
    monkeypatch.setattr(app.db.engine.dialect, "insertmanyvalues_max_parameters", 20 * 7)  # seven inferences
    for file in range(12):
        lines = [line(f"{file}-{number}", 0.5 + number / 100, minute=file) for number in range(10)]
        put(app, f"2026/01/01/12/{file}.jsonl", b"".join(lines))
    assert capture.ingest(app) == capture.Ingested(new=120, duplicates=0, quarantined=0)
    assert capture.captured(app) == 120
    with app.db.read() as connection:
        kept = {row.event_id: row.confidence for row in table.rows(connection, [])}
    assert kept == {f"{file}-{number}": 0.5 + number / 100 for file in range(12) for number in range(10)}
    assert capture.image(app, "11-9") == png(sum(b"11-9"), upright=True)
    assert capture.ingest(app) == capture.Ingested(new=0, duplicates=0, quarantined=0)


def test_a_record_that_stands_twice_in_one_file_is_one_inference(app: App):
    put(app, "2026/01/01/12/a.jsonl", line("a") * 3)
    assert capture.ingest(app) == capture.Ingested(new=1, duplicates=2, quarantined=0)


def test_a_file_that_has_grown_is_read_again(app: App):
    put(app, "2026/01/01/12/a.jsonl", line("a"))
    capture.ingest(app)
    put(app, "2026/01/01/12/a.jsonl", line("a") + line("b"))
    assert capture.ingest(app) == capture.Ingested(new=1, duplicates=1, quarantined=0)


def test_an_unreadable_line_is_set_aside_and_the_others_are_kept(app: App):
    put(app, "2026/01/01/12/a.jsonl", line("a") + b"{half a rec\n" + line("b"))
    assert capture.ingest(app) == capture.Ingested(new=2, duplicates=0, quarantined=1)


def test_a_file_given_twice_is_set_aside_once(app: App):
    data = line("a") + b"{half a rec\n"
    assert capture.ingest_files(app, [data, data]) == capture.Ingested(new=1, duplicates=1, quarantined=2, unnamed=1)
    assert capture.ingest_files(app, [data]).quarantined == 1


def test_captures_are_found_however_deep_they_lie(app: App):
    put(app, "2026/01/01/12/a.jsonl", line("a"))
    put(app, "2026/01/01/b.jsonl", line("b"))
    put(app, "c.jsonl", line("c"))
    put(app, "2026/01/01/12/deeper/d.jsonl", line("d"))
    assert capture.ingest(app).new == 4


def test_a_quick_look_leaves_the_hours_of_long_ago_for_a_thorough_one(app: App):
    put(app, "2026/01/01/12/a.jsonl", line("a"))
    assert capture.ingest(app, recent=True).new == 1
    for hour in ("2025/12/30/23", "2025/12/31/11", "2025/12/31/12", "2026/01/02/00"):
        put(app, f"{hour}/a.jsonl", line(hour))
    assert capture.ingest(app, recent=True).new == 2
    assert capture.ingest(app).new == 2


def test_imported_captures_do_not_hide_what_the_endpoint_captures_before_their_time(app: App):
    capture.ingest_files(app, [line("x", minute=59)])
    put(app, "2025/01/01/12/a.jsonl", line("a"))
    assert capture.ingest(app, recent=True).new == 1


def test_the_image_of_an_inference_is_read_from_its_place_in_the_file(app: App):
    pictures = {name: png(seed, upright=True) for seed, name in enumerate("abc")}
    put(app, "2026/01/01/12/a.jsonl", b"".join(line(name, image=image) for name, image in pictures.items()))
    capture.ingest(app)
    assert {name: capture.image(app, name) for name in pictures} == pictures


def test_files_of_other_endpoints_are_imported_with_their_images(app: App):
    picture = png(7, upright=False)
    found = capture.ingest_files(app, [line("x", image=picture), line("x", image=picture)])
    assert found == capture.Ingested(new=1, duplicates=1, quarantined=0, unnamed=1)
    assert capture.image(app, "x") == picture
    again = capture.ingest_files(app, [line("x", image=picture)])
    assert again == capture.Ingested(new=0, duplicates=1, quarantined=0, unnamed=1)


def test_monitor_counts_an_inference_at_the_threshold_as_low_confidence(app: App):
    capture.ingest_files(app, [line("a", 0.93) + line("b", 0.94, minute=1)])
    found = monitoring.figures(app)
    assert (found.inferences, found.low_confidence, found.threshold) == (2, 1, 0.93)
    assert list(found.points["low"]) == [True, False]
    assert monitoring.figures(app, at=0.95).low_confidence == 2


def test_monitor_can_look_at_a_part_of_the_time(app: App):
    capture.ingest_files(app, [line("a") + line("b", minute=30)])
    assert monitoring.figures(app, since=datetime(2026, 1, 1, 12, 15, tzinfo=UTC)).inferences == 1


def test_monitor_of_nothing_is_empty_and_does_not_fail(app: App):
    found = monitoring.figures(app)
    assert (found.inferences, found.low_share, found.by_class) == (0, 0.0, [])


def test_one_bad_line_is_set_aside_with_its_reason_and_the_next_ingest_works(app: App):
    bad = [b'{"captureData": null}', b"[" * 100_000, line("gif").replace(b'"data": "iVBOR', b'"data": "AAAAA'), b"\xff"]
    found = capture.ingest_files(app, [line("x") + b"\n".join(bad) + b"\n" + line("y")], classes=["a", "b"])
    assert (found.new, found.quarantined) == (2, 4)
    assert capture.ingest(app).new == 0
    assert monitoring.figures(app).inferences == 2
    with app.db.read() as connection:
        reasons = {row["capture_line"]: row["reason"] for row in table.quarantined(connection)}
    assert sorted(reasons) == [1, 2, 3, 5]
    assert all(reasons.values())
    assert len(capture.put_aside(app)) == 4


def test_compressed_and_pretty_printed_files_are_read(app: App):
    record = json.loads(line("a"))
    pretty, several = json.dumps(record, indent=2), json.dumps([json.loads(line("b")), json.loads(line("c"))], indent=1)
    found = capture.ingest_files(app, [pretty.encode(), several.encode(), gzip.compress(line("d") + line("e"))])
    assert (found.new, found.quarantined) == (5, 0)


@pytest.mark.parametrize(
    "data",
    [b"\x1f\x8b", gzip.compress(b"x" * 1000, mtime=0)[:-9], b"\x1f\x8bnonsense"],
    ids=["head", "cut", "nonsense"],
)
def test_a_damaged_compressed_file_is_told_or_put_aside(app: App, data: bytes):
    try:
        assert capture.ingest_files(app, [data]).new == 0
    except BadInput as error:
        assert "damaged" in str(error)  # noqa: PT017


def test_a_compressed_bomb_is_refused(app: App, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(capture_reading, "MOST_BYTES", 10_000)
    with pytest.raises(BadInput, match="decompress and split"):
        capture.ingest_files(app, [gzip.compress(b" " * 100_000)])


def test_a_torn_line_is_no_longer_put_aside_once_it_is_whole(app: App):
    whole = line("a")
    put(app, "2026/01/01/12/a.jsonl", whole[:50])
    assert capture.ingest(app).quarantined == 1
    put(app, "2026/01/01/12/a.jsonl", whole)
    assert capture.ingest(app).new == 1
    assert capture.put_aside(app) == []
