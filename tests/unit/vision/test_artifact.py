"""A stored model: what it gives back, and damaged ones."""

import contextlib
import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from scones_core.errors import Damaged
from scones_core.vision.classifier import Classifier, pack
from tests.unit.vision.stripes import task


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        streams = {member.name: tar.extractfile(member) for member in tar}
        return {name: stream.read() for name, stream in streams.items() if stream is not None}


def test_a_stored_model_answers_as_before(model: Classifier, artifact: bytes):
    loaded = Classifier.load(artifact, hashlib.sha256(artifact).hexdigest())
    images, _ = task(5, start=33)
    assert np.array_equal(loaded.predict_proba(images), model.predict_proba(images))
    assert loaded.classes == ("upright", "level")
    assert loaded.training["cross_validated"]["accuracy"] > 0.5


def test_the_folder_a_training_script_writes_packs_to_the_same_artifact(
    model: Classifier, artifact: bytes, tmp_path: Path
):
    model.save_to(tmp_path)
    assert pack(tmp_path) == artifact


def test_one_changed_byte_is_detected_by_the_checksum(artifact: bytes):
    damaged = bytearray(artifact)
    damaged[len(damaged) // 2] ^= 1
    with pytest.raises(Damaged, match="SHA-256"):
        Classifier.load(bytes(damaged), hashlib.sha256(artifact).hexdigest())


def test_no_damaged_archive_raises_anything_but_damaged(artifact: bytes):
    rng = np.random.default_rng(0)
    for data in [b"", b"not an archive", artifact[:-1000], gzip.compress(b"not a tar"), archive()]:
        with pytest.raises(Damaged):
            Classifier.load(data)
    plain = gzip.decompress(artifact)
    for _ in range(60):
        damaged = bytearray(plain)
        damaged[int(rng.integers(len(damaged)))] = int(rng.integers(256))
        with contextlib.suppress(Damaged):
            Classifier.load(gzip.compress(bytes(damaged), 1))


@pytest.mark.parametrize(
    "members",
    [
        {"model.json": b"[]"},
        {"model.json": b"{}"},
        {"model.json": b'{"format": 99}'},
        {"model.json": b"[" * 100_000},
        {"model.json": b"{}", "weights.npy": b"\x93NUMPY garbage"},
        {f"{i}.npy": b"" for i in range(100)},
    ],
)
def test_an_archive_of_other_files_is_refused(members: dict[str, bytes]):
    with pytest.raises(Damaged):
        Classifier.load(archive(**members))


@pytest.mark.parametrize(
    "change",
    [
        {"side": 10**9},
        {"side": 2},
        {"temperature": 0},
        {"temperature": "warm"},
        {"classes": ["a", "b", "c"]},
        {"classes": None},
        {"blocks": []},
        {"blocks": [{"patch": 4, "words": 17, "grid": 2}]},
        {"blocks": [{"patch": 4, "words": 16, "grid": 10**6}]},
        {"blocks": [{"patch": 4, "words": -16, "grid": 2}]},
        {"blocks": [{"patch": "4", "words": 16, "grid": 2}]},
        {"blocks": [{"shape": 1}]},
    ],
)
def test_a_document_that_does_not_fit_the_arrays_is_refused(artifact: bytes, change: dict[str, object]):
    members = unpacked(artifact)
    members["model.json"] = json.dumps(json.loads(members["model.json"]) | change).encode()
    with pytest.raises(Damaged):
        Classifier.load(archive(**members))


def test_an_array_that_would_run_code_is_refused(artifact: bytes):
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"any": "object"}], dtype=object), allow_pickle=True)
    with pytest.raises(Damaged):
        Classifier.load(archive(**{**unpacked(artifact), "weights.npy": buffer.getvalue()}))


def test_an_archive_that_unpacks_to_more_than_any_model_is_refused():
    bomb = io.BytesIO()
    with gzip.open(bomb, "wb", 1) as zipped:
        info = tarfile.TarInfo("weights.npy")
        info.size = 2**40
        zipped.write(info.tobuf() + b"\0" * 1_000_000)
    with pytest.raises(Damaged, match="too large"):
        Classifier.load(bomb.getvalue())
