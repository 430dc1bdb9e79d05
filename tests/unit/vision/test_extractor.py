"""The extractor: its weights are the published ones, and running it needs neither network nor pickle."""

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from infra.extractor.weights import folded, installed, weights_of
from scones_core.errors import Damaged, Unavailable
from scones_core.vision import extractor as module
from scones_core.vision.classifier import Classifier
from scones_core.vision.embedding_files import pack, read_folder, unpack
from scones_core.vision.extractor import DIGEST, SIDE, WIDTH, extractor
from scones_core.vision.features import embedded
from scones_core.vision.fitting import fit
from scones_core.vision.images import decode, pixels
from scones_core.vision.options import Observer, Options
from tests.conftest import png

HERE = Path(module.__file__).parent


def test_the_shipped_weights_are_those_of_the_published_package():
    weights = weights_of(installed())
    layers = [("_conv_stem", "_bn0")]
    for i in range(16):
        names = [("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
        layers += [(f"_blocks.{i}.{one}", f"_blocks.{i}.{norm}") for one, norm in names if i or "expand" not in one]
    shipped = (HERE / "extractor.onnx").read_bytes()
    for name, norm in layers:
        for part, tensor in zip(("weight", "bias"), folded(weights, name, norm), strict=True):
            assert f"{name}.{part}".encode() in shipped
            assert tensor.tobytes() in shipped, f"{name}.{part}"
    assert hashlib.sha256(shipped).hexdigest() == DIGEST
    assert "Apache License" in (HERE / "extractor.NOTICE").read_text()


def test_neither_the_network_nor_a_pickle_is_touched():
    script = """
import io, socket, pickle, sys
def refused(*_a, **_k): raise AssertionError("touched")
socket.socket = socket.create_connection = pickle.load = pickle.loads = pickle.Unpickler = refused
from PIL import Image
from scones_core.vision.extractor import extractor, SIDE
import numpy as np
print(extractor().embed(np.zeros((1, SIDE, SIDE, 3), np.uint8)).shape)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"(1, {WIDTH})"


def test_an_image_alone_and_among_others_has_the_same_embedding():
    many = np.stack([pixels(png(seed, upright=True), SIDE) for seed in range(20)])
    together = extractor().embed(many)
    for i in range(20):
        assert together[i] == pytest.approx(extractor().embed(many[i : i + 1])[0], abs=4e-3)


def test_a_large_picture_is_embedded_at_its_own_resolution():
    """Not from its thumbnail: fine detail that 32 pixels cannot show makes a difference."""
    row, column = np.mgrid[:128, :128]
    fine = np.where((row + column) % 4 < 2, 60, 200).astype(np.uint8)
    plain = np.full((128, 128), 130, np.uint8)
    files = []
    for picture in (fine, plain):
        buffer = io.BytesIO()
        Image.fromarray(picture).convert("RGB").save(buffer, "PNG")
        files.append(buffer.getvalue())
    one, other = embedded(extractor(), files, [decode(file) for file in files])
    assert np.abs(one.astype(float) - other).max() > 0.5


def test_known_embeddings_are_taken_instead_of_computed():
    file = png(1, upright=True)
    known = {hashlib.sha256(file).hexdigest(): np.full(WIDTH, 7, np.float16)}
    assert (embedded(extractor(), [file], [decode(file)], known) == 7).all()


def trained(**options: object) -> Classifier:
    files = [png(i, upright=i % 2 == 0) for i in range(24)]
    return fit(files, [i % 2 for i in range(24)], ["upright", "level"], options=Options(**options))  # type: ignore[arg-type]


def test_a_model_refers_to_the_extractor_by_digest_and_is_read_back_the_same():
    model = trained()
    again = Classifier.load(model.save())
    files = [png(100, upright=True), png(101, upright=False)]
    assert np.array_equal(again.predict_proba(files), model.predict_proba(files))
    assert DIGEST.encode() in model._files()["model.json"]
    assert len(model.save()) < 6_000_000


def test_without_the_extractor_training_uses_visual_words_and_says_so(monkeypatch: pytest.MonkeyPatch):
    with_it = trained().save()
    monkeypatch.setenv("SCONES_EXTRACTOR", "off")
    module.extractor.cache_clear()
    try:
        said: list[str] = []
        files = [png(i, upright=i % 2 == 0) for i in range(24)]
        fit(files, [i % 2 for i in range(24)], ["a", "b"], observer=Observer(progress=said.append))
        assert any("visual words alone" in line for line in said)
        assert trained(embedding=False).predict_proba(files[:2]).shape == (2, 2)
        with pytest.raises(Unavailable, match="switched off"):
            trained(embedding=True)
        with pytest.raises(Unavailable, match="switched off"):
            Classifier.load(with_it)
    finally:
        module.extractor.cache_clear()


def test_a_model_of_visual_words_alone_as_earlier_versions_wrote_it_is_read(tmp_path: Path):
    model = trained(embedding=False)
    files = model._files()
    document = files["model.json"].decode().replace('"format": 3', '"format": 2').replace(' "extractor": null,\n', "")
    assert '"format": 2' in document
    assert "extractor" not in document
    model.save_to(tmp_path)
    (tmp_path / "model.json").write_text(document)
    from scones_core.vision.classifier import pack as packed

    [image] = [png(7, upright=True)]
    assert np.array_equal(Classifier.load(packed(tmp_path)).predict_proba([image]), model.predict_proba([image]))


def test_files_of_embeddings_are_read_back_and_damaged_ones_left_out(tmp_path: Path):
    one = {"a" * 64: np.arange(WIDTH, dtype=np.float16), "b" * 64: np.ones(WIDTH, np.float16)}
    (tmp_path / "one.npy").write_bytes(pack(one))
    (tmp_path / "two.npy").write_bytes(pack(one)[:2000])
    (tmp_path / "three.npy").write_bytes(b"no array")
    found = read_folder(tmp_path)
    assert set(found) == set(one)
    assert np.array_equal(found["a" * 64], one["a" * 64])
    with pytest.raises(Damaged):
        unpack(pack(one)[:500])
    assert pack(one) == pack(one)


def test_the_switch_is_an_environment_variable():
    environment = {**os.environ, "SCONES_EXTRACTOR": "off"}
    script = "from scones_core.vision.extractor import missing; print(missing())"
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert "SCONES_EXTRACTOR=off" in done.stdout
