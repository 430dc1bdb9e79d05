"""The embedded endpoint's capture files, as `ingest` and whoever looks into the folder find them."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from scones_core.local import capture_files
from scones_core.services import App, capture, etl
from scones_core.settings import Settings


def invoke(app: App, count: int) -> None:
    """Ask for `count` inferences, several at once."""
    image = app.backend.objects.get(etl.images(app, etl.get(app).id)[0].key)

    def ask(_: int) -> None:
        app.backend.endpoints.invoke(Settings().endpoint, image, "image/png")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(count)))


def files(app: App) -> list[bytes]:
    objects = app.backend.objects
    return [objects.get(info.key) for info in objects.list(app.backend.endpoints.capture_prefix)]


def test_inferences_share_a_file_one_whole_record_a_line(serving: App):
    invoke(serving, 20)
    assert len(files(serving)) <= 2  # two where an hour ended meanwhile
    records = [json.loads(line) for file in files(serving) for line in file.splitlines()]
    assert len({record["eventMetadata"]["eventId"] for record in records}) == 20


def test_inferences_that_join_a_file_after_it_was_read_are_ingested_too(serving: App):
    invoke(serving, 3)
    assert capture.ingest(serving).new == 3
    invoke(serving, 4)
    assert capture.ingest(serving).new == 4
    assert capture.ingest(serving) == capture.Ingested(0, 0, 0)


@pytest.mark.parametrize(("limit", "value"), [("MOST_BYTES", 1), ("OLDEST", timedelta(0))])
def test_a_file_that_is_large_or_old_takes_no_more(
    limit: str, value: object, serving: App, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(capture_files, limit, value)
    invoke(serving, 5)
    assert [file.count(b"\n") for file in files(serving)] == [1] * 5
