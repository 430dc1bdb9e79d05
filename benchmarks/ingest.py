"""Captured records per second that `ingest` reads, parses and keeps, at 10,000 and at 1,000,000 records.

The peer is the reference notebook's way: `json.loads` on every line of every file, and then pandas. It stores nothing,
decodes no image and checks no record, so it is a bound rather than a rival. Both read the same files.
`per_record_against_10k` is the time per record at 1,000,000 divided by that at 10,000.

Files are written as an endpoint does: 100 records each, under the hour in which they were captured.

`distant` reads files with a latency of 30 ms per request, as with S3: in parallel, and one by one.
"""

import io
import json
import os
import random
import statistics
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._home import empty
from benchmarks.sample import picture
from scones_core.aws.object_store import S3ObjectStore
from scones_core.domain.capture import record
from scones_core.ports import ObjectStore
from scones_core.services import App, capture

SIZES = (10_000, 1_000_000)
ROUNDS = 3  # of the smaller size
A_FILE, AN_HOUR = 100, 5_000  # records
IMAGES = 200  # different ones
FEW, LINE = 30_000, 0.030  # records, and seconds per request, of the distant store
START = datetime(2026, 1, 1, tzinfo=UTC)


def run() -> dict[str, Any]:
    """Figures of both at each size. Takes about five minutes and 4 GB of disk."""
    small, large = SIZES
    rounds = [_measured(small) for _ in range(ROUNDS)]
    found = {f"{small:,}": {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}}
    found[f"{large:,}"] = _measured(large)
    base, grown = (figures["records_per_second"] for figures in found.values())
    return {"records": found, "per_record_against_10k": base / grown, "distant": _distant()}


class Distant:
    """The object store with added latency."""

    def __init__(self, objects: ObjectStore, at_once: int) -> None:
        self._objects, self.at_once = objects, at_once

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._objects, name)

        def delayed(*arguments: Any) -> Any:
            time.sleep(LINE)
            return method(*arguments)

        return delayed


def _distant() -> dict[str, float]:
    seconds = {}
    for at_once in (S3ObjectStore.at_once, 1):
        with empty() as app:
            _write(_folder(app), FEW)
            far = Distant(app.backend.objects, at_once)
            seconds[at_once] = _seconds(replace(app, backend=replace(app.backend, objects=far)), FEW)
    together, alone = seconds.values()
    return {"seconds": together, "seconds_one_after_another": alone, "ratio": alone / together}


def _measured(count: int) -> dict[str, float]:
    with empty() as app:
        _write(_folder(app), count)
        seconds, nothing_new = _seconds(app, count), _seconds(app, 0)
        peer = _seconds_of_peer(_folder(app), count)
    return {
        "records_per_second": count / seconds,
        "peer_records_per_second": count / peer,
        "ratio": peer / seconds,
        "seconds": seconds,
        "seconds_when_nothing_is_new": nothing_new,
    }


def _folder(app: App) -> Path:
    return Path(app.settings.home) / "objects" / app.backend.endpoints.capture_prefix


def _seconds(app: App, new: int) -> float:
    begin = time.perf_counter()
    assert capture.ingest(app) == capture.Ingested(new, 0, 0)
    return time.perf_counter() - begin


def _seconds_of_peer(folder: Path, count: int) -> float:
    begin = time.perf_counter()
    rows = []
    for file in sorted(folder.rglob("*.jsonl")):
        for line in file.read_text().splitlines():
            captured = json.loads(line)
            inferences = json.loads(captured["captureData"]["endpointOutput"]["data"])
            rows.append((captured["eventMetadata"]["inferenceTime"], max(inferences)))
    frame = pd.DataFrame(rows, columns=["time", "confidence"])
    frame["time"] = pd.to_datetime(frame["time"])
    assert len(frame) == count
    return time.perf_counter() - begin


def _write(folder: Path, count: int) -> None:
    """Files as the endpoint writes them, flushed, so that writing them back does not fall into the measurement."""
    lines = _lines(count)
    for first in range(0, count, A_FILE):
        time_ = START + timedelta(hours=first // AN_HOUR, seconds=first % AN_HOUR // A_FILE)
        file = folder / f"scones-unlimited/AllTraffic/{time_:%Y/%m/%d/%H/%M-%S}-000-{uuid.UUID(int=first)}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"".join(next(lines) for _ in range(min(A_FILE, count - first))))
    os.sync()


def _lines(count: int) -> Iterator[bytes]:
    images = [_png(random.Random(seed)) for seed in range(IMAGES)]
    confidences = 0.5 + 0.5 * np.random.default_rng(0).beta(5, 1, count)
    ids = random.Random(0)
    for number in range(count):
        document = record(
            event_id=str(uuid.UUID(int=ids.getrandbits(128))),
            time=START + timedelta(seconds=number),
            body=images[number % len(images)],
            content_type="image/png",
            response=json.dumps([float(confidences[number]), 1 - float(confidences[number])]),
            inference_id=str(uuid.UUID(int=ids.getrandbits(128))),
            custom_attributes=f"s3_key=test/bicycle_s_{number:06}.png",
        )
        yield json.dumps(document).encode() + b"\n"


def _png(rng: random.Random) -> bytes:
    file = io.BytesIO()
    picture("bicycle", rng).save(file, "PNG")
    return file.getvalue()
