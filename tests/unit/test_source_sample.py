"""The generated sample: the same for the same seed, labelled, varied, and quick."""

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scones_core.errors import BadInput
from scones_core.sources import SourceImage, open_source
from scones_core.sources.model import no_progress
from scones_core.sources.sample import open_sample
from scones_core.vision.fitting import fit


def drawn(seed: int = 0, train: int = 20, test: int = 10) -> list[SourceImage]:
    items = open_sample(None, seed, no_progress, train=train, test=test, pool_share=0).items
    return [item for item in items if isinstance(item, SourceImage)]


def test_the_sample_says_that_it_is_generated(tmp_path: Path) -> None:
    source = open_source("sample", cache=tmp_path, seed=3)
    assert source.generated
    assert source.classes == ("bicycle", "motorcycle")
    assert source.total == 500
    assert source.description == "Generated sample (seed 3)"
    assert not list(tmp_path.iterdir())


def test_half_of_each_split_is_of_each_class() -> None:
    assert Counter((image.split, image.label) for image in drawn()) == {
        ("test", "bicycle"): 5,
        ("test", "motorcycle"): 5,
        ("train", "bicycle"): 10,
        ("train", "motorcycle"): 10,
    }


def test_the_same_seed_draws_the_same_and_another_seed_another() -> None:
    assert drawn(seed=1) == drawn(seed=1)
    assert not {image.data for image in drawn(seed=1)} & {image.data for image in drawn(seed=2)}


def test_no_two_pictures_are_alike_and_no_two_names() -> None:
    images = drawn(train=100, test=40)
    assert len({image.data for image in images}) == len({image.name for image in images}) == 140


def test_pictures_are_small_png_files_named_by_their_class() -> None:
    for image in drawn():
        with Image.open(io.BytesIO(image.data), formats=("PNG",)) as picture:
            assert picture.size == (32, 32)
            assert picture.mode == "RGB"
        assert image.name.startswith(f"{image.label}_g_0000")


def test_nearly_every_picture_shows_something() -> None:
    contrasts = []
    for image in drawn(train=100, test=0):
        with Image.open(io.BytesIO(image.data)) as picture:
            contrasts.append(float(np.asarray(picture.convert("L"), dtype=np.float64).std()))
    assert np.mean(np.array(contrasts) > 12) > 0.9


def test_other_classes_are_refused_and_the_order_is_kept(tmp_path: Path) -> None:
    assert open_source("sample", classes=["motorcycle", "bicycle"], cache=tmp_path).classes == ("motorcycle", "bicycle")
    with pytest.raises(BadInput, match="has bicycles and motorcycles only, not “tractor”; leave classes out"):
        open_source("sample", classes=["bicycle", "tractor"], cache=tmp_path)


def test_a_classifier_learns_the_sample_but_not_all_of_it() -> None:
    images = drawn(train=200, test=200)
    train, test = ([image for image in images if image.split == split] for split in ("train", "test"))
    classes = ("bicycle", "motorcycle")
    model = fit([image.data for image in train], [classes.index(image.label) for image in train], classes)
    probabilities = model.predict_proba([image.data for image in test])
    accuracy = np.mean(probabilities.argmax(axis=1) == [classes.index(image.label) for image in test])
    assert 0.8 < accuracy < 0.98
    assert np.mean(probabilities.max(axis=1) <= 0.93) > 0.1, "some must be left for the review"
