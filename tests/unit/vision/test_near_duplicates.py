"""Near-duplicates are held out together, so that cross-validation does not test on what was learnt."""

import io

import numpy as np
import pytest
from PIL import Image

from scones_core.vision.features import greys
from scones_core.vision.fitting import fit
from scones_core.vision.images import pixels
from scones_core.vision.near_duplicates import SIDE, View, near_duplicates
from scones_core.vision.options import Options


def smooth(seed: int) -> np.ndarray:
    """A picture like no other: random colours in large patches, 40 × 40 pixels."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((40, 40), Image.Resampling.BICUBIC), dtype=np.float64)


def file(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def copies(seed: int, count: int) -> list[bytes]:
    """The same picture: as it is, then shifted by up to 4 pixels, mirrored, darker or noisy."""
    rng, whole = np.random.default_rng([seed, 1]), smooth(seed)
    found = [file(whole[4:36, 4:36])]
    for _ in range(count - 1):
        y, x = rng.integers(0, 9, 2)
        part = whole[y : y + 32, x : x + 32]
        part = part[:, ::-1] if rng.random() < 0.5 else part
        found.append(file(part * rng.uniform(0.7, 1.1) + rng.normal(0, 4, part.shape)))
    return found


def views(files: list[bytes]) -> list[View]:
    """Coarse colours, the same for a mirrored picture."""
    small = np.stack([pixels(one, 8) for one in files]).astype(np.float32)
    return [View((small + small[:, :, ::-1]).reshape(len(files), -1), alike=0.995, similar=0)]


def test_copies_are_grouped_and_other_pictures_are_not():
    files = [one for seed in range(40) for one in copies(seed, 4)]
    found = near_duplicates(views(files), greys(files, range(len(files)), SIDE), largest=20)
    groups = found.group.reshape(40, 4)
    assert (groups == groups[:, :1]).mean() >= 0.9
    assert len(set(groups[:, 0])) >= 38
    assert found.complete
    assert found.repeated >= 150


def test_pictures_without_copies_are_all_by_themselves():
    files = [file(smooth(seed)[:32, :32]) for seed in range(60)]
    found = near_duplicates(views(files), greys(files, range(60), SIDE), largest=10)
    assert len(set(found.group)) == 60
    assert found.repeated == 0


def test_plain_areas_are_like_nothing():
    files = [file(np.full((32, 32, 3), float(10 * i))) for i in range(8)]
    features = np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32)
    found = near_duplicates([View(features, 0.9, -1)], greys(files, range(8), SIDE), largest=8)
    assert len(set(found.group)) == 8


def test_where_all_are_alike_groups_stay_small_and_that_is_said():
    files = copies(1, 40)
    found = near_duplicates(views(files), greys(files, range(40), SIDE), largest=4)
    assert np.bincount(found.group).max() <= 4
    assert not found.complete


@pytest.mark.parametrize("embedding", [True, False])
def test_copies_do_not_make_a_model_look_better_than_it_is(embedding: bool):
    """Labels are noise: whoever recognises copies across folds seems to be right."""
    labels = np.random.default_rng(3).integers(0, 2, 30)
    labels[:2] = 0, 1
    files = [one for seed in range(30) for one in copies(seed, 5)]
    model = fit(files, np.repeat(labels, 5).tolist(), ["a", "b"], options=Options(embedding=embedding))
    assert model.training["cross_validated"]["accuracy"] < 0.75
    assert model.training["near_duplicates"]["images"] >= 120
    assert model.temperature > 2


def test_held_out_answers_are_kept_in_the_order_of_the_images():
    files = [file(smooth(seed)[:32, :32] * (0.5 if seed % 2 else 1)) for seed in range(40)]
    weights = [0.0, *[1.0] * 39]
    model = fit(files, [seed % 2 for seed in range(40)], ["light", "dark"], sample_weight=weights)
    assert model.held_out is not None
    assert model.held_out.shape == (40, 2)
    assert np.isnan(model.held_out[0]).all()
    assert model.held_out[1:].sum(axis=1) == pytest.approx(1, abs=1e-5)
    right = model.held_out[1:].argmax(axis=1) == np.arange(1, 40) % 2
    assert right.mean() == pytest.approx(model.training["cross_validated"]["accuracy"])


def test_balanced_classes_weigh_the_same():
    files = [file(smooth(seed)[:32, :32] + 30 * (seed < 6)) for seed in range(60)]
    labels = [int(seed < 6) for seed in range(60)]
    plain, balanced = (fit(files, labels, ["many", "few"], options=Options(balanced=b)) for b in (False, True))
    few = [file(smooth(1000 + seed)[:32, :32] + 30) for seed in range(40)]
    assert balanced.predict_proba(few)[:, 1].mean() > plain.predict_proba(few)[:, 1].mean()


def test_changed_copies_help_in_the_dark_and_are_not_judged():
    """Brightness tells the classes apart, so that a darker picture looks like the other class."""
    files, labels = [], []
    for seed in range(80):
        grey = smooth(seed)[:32, :32] * 0.3 + (90 if seed % 2 else 150)
        grey[8:24, 8:24] += 60 if seed % 2 else -60  # what darkness leaves
        files.append(file(grey))
        labels.append(seed % 2)
    plain, robust = (
        fit(files[:60], labels[:60], ["a", "b"], options=Options(changed_copies=copies)) for copies in (False, True)
    )
    dark = [file(pixels(one, 32) * 0.35) for one in files[60:]]
    right = np.eye(2)[labels[60:]]
    gains = [float((model.predict_proba(dark) * right).sum(axis=1).mean()) for model in (plain, robust)]
    assert gains[1] > gains[0]
    assert robust.held_out is not None
    assert robust.held_out.shape == (60, 2)
    again = fit(files[:60], labels[:60], ["a", "b"], options=Options(changed_copies=True))
    assert again.save() == robust.save()
