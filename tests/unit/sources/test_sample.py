"""The generated sample: labelled, varied, quick, and drawn by the code of this repository."""

import io
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.sample import picture
from scones_core.errors import BadInput
from scones_core.sources import SourceImage, open_source
from scones_core.sources.model import no_progress
from scones_core.sources.sample import open_sample
from scones_core.sources.splitting import by_share
from scones_core.vision.fitting import fit


def images(pool_share: float = 0) -> list[SourceImage]:
    items = open_sample(None, no_progress, by_share(pool_share)).items
    return [item for item in items if isinstance(item, SourceImage)]


def test_the_sample_says_that_it_is_generated(tmp_path: Path) -> None:
    source = open_source("sample", cache=tmp_path)
    assert source.generated
    assert source.classes == ("bicycle", "motorcycle")
    assert source.total == 500
    assert source.description == "Generated sample"
    assert not list(tmp_path.iterdir())


def test_half_of_each_split_is_of_each_class() -> None:
    assert Counter((image.split, image.label) for image in images(pool_share=0.2)) == {
        ("test", "bicycle"): 50,
        ("test", "motorcycle"): 50,
        ("pool", "bicycle"): 40,
        ("pool", "motorcycle"): 40,
        ("train", "bicycle"): 160,
        ("train", "motorcycle"): 160,
    }


def test_no_two_pictures_are_alike_and_no_two_names() -> None:
    found = images()
    assert len({image.data for image in found}) == len({image.name for image in found}) == 500


def test_pictures_are_small_png_files_named_by_their_class() -> None:
    for image in images():
        with Image.open(io.BytesIO(image.data), formats=("PNG",)) as found:
            assert found.size == (32, 32)
            assert found.mode == "RGB"
        assert image.name.startswith(f"{image.label}_g_000")


def test_the_pictures_are_those_that_this_repository_draws() -> None:
    for number, image in enumerate(images()[:20]):
        drawn = picture(image.label, random.Random(f"0/{image.split}/{number}"))
        with Image.open(io.BytesIO(image.data)) as found:
            assert np.abs(np.asarray(found, dtype=int) - np.asarray(drawn, dtype=int)).mean() < 2


def test_nearly_every_picture_shows_something() -> None:
    contrasts = []
    for image in images():
        with Image.open(io.BytesIO(image.data)) as found:
            contrasts.append(float(np.asarray(found.convert("L"), dtype=np.float64).std()))
    assert np.mean(np.array(contrasts) > 12) > 0.9


def test_other_classes_are_refused_and_the_order_is_kept(tmp_path: Path) -> None:
    assert open_source("sample", classes=["motorcycle", "bicycle"], cache=tmp_path).classes == ("motorcycle", "bicycle")
    with pytest.raises(BadInput, match="has bicycles and motorcycles only, not “tractor”; leave classes out"):
        open_source("sample", classes=["bicycle", "tractor"], cache=tmp_path)


def test_a_classifier_learns_the_sample_but_not_all_of_it() -> None:
    train, test = ([image for image in images() if image.split == split] for split in ("train", "test"))
    classes = ("bicycle", "motorcycle")
    few = train[:200]
    model = fit([image.data for image in few], [classes.index(image.label) for image in few], classes)
    probabilities = model.predict_proba([image.data for image in test])
    accuracy = np.mean(probabilities.argmax(axis=1) == [classes.index(image.label) for image in test])
    assert 0.8 < accuracy < 0.98
    assert np.mean(probabilities.max(axis=1) <= 0.93) > 0.1, "some must be left for the review"
