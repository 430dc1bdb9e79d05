"""A classifier learns, and keeps its word about probabilities."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from scones_core.domain.metrics import accuracy, expected_calibration_error
from scones_core.errors import BadImage, BadInput
from scones_core.vision.classifier import Classifier
from scones_core.vision.fitting import fit
from scones_core.vision.options import Observer, Options
from tests.unit.vision.stripes import SMALL, picture, task


def test_it_tells_new_images_apart(model: Classifier):
    images, labels = task(20, start=1000)
    assert accuracy(labels, model.predict_proba(images)) >= 0.95


def test_probabilities_have_one_row_per_image_and_sum_to_one(model: Classifier):
    p = model.predict_proba(task(10)[0])
    assert p.shape == (20, 2)
    assert p.min() >= 0
    assert p.sum(axis=1) == pytest.approx(1)
    assert model.predict_proba([]).shape == (0, 2)


def test_one_image_and_a_batch_get_the_same_probabilities(model: Classifier):
    images, _ = task(13, start=50)
    alone = np.concatenate([model.predict_proba([image]) for image in images])
    assert alone == pytest.approx(model.predict_proba(images), abs=1e-5)


def test_threads_share_a_model(model: Classifier):
    images, _ = task(10, start=70)
    alone = model.predict_proba(images)
    with ThreadPoolExecutor(8) as pool:
        for together in pool.map(lambda _: model.predict_proba(images), range(24)):
            assert np.array_equal(together, alone)


def test_a_mirror_image_has_the_same_visual_words_and_so_the_same_probabilities():
    model = fit(*task(20), ["upright", "level"], options=replace(SMALL, embedding=False))
    one, other = (model.predict_proba([picture(1, 5, mirrored=mirrored)]) for mirrored in (False, True))
    assert one == pytest.approx(other, abs=1e-5)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(artifact: bytes):
    images, labels = task(20)
    again = fit(images, labels, ["upright", "level"], options=SMALL)
    other = fit(images, labels, ["upright", "level"], options=SMALL, seed=1)
    assert again.save() == artifact
    assert other.save() != artifact


def test_default_options_learn_three_classes_of_images_of_odd_sizes():
    images, labels = [], []
    for i in range(24):
        images.append(picture(i % 3, i, side=24 + i))
        labels.append(i % 3)
    model = fit(images, labels, ["upright", "level", "slanted"], side=32)
    assert model.predict_proba(images).shape == (24, 3)
    assert accuracy(labels, model.predict_proba(images)) >= 0.9


def test_one_image_per_class_is_enough_to_train_and_leaves_the_model_humble():
    model = fit(*task(1), ["upright", "level"], options=SMALL)
    p = model.predict_proba(task(5, start=9)[0])
    assert p.max() < 0.9


@pytest.mark.parametrize("counts", [[30, 1], [1] * 20])
def test_classes_with_fewer_images_than_folds_are_learnt_without_a_warning(counts: list[int]):
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    images = [picture(label % 3, i) for i, label in enumerate(labels)]
    model = fit(images, labels, [f"class {i}" for i in range(len(counts))], options=SMALL)
    assert model.predict_proba(images[:3]).sum(axis=1) == pytest.approx(1)


def test_twenty_classes_of_a_few_images_work():
    rng = np.random.default_rng(0)
    labels = [i % 20 for i in range(80)]
    model = fit(
        [picture(int(rng.integers(3)), i, side=16) for i in range(80)],
        labels,
        [f"class {i}" for i in range(20)],
        side=16,
        options=SMALL,
    )
    assert model.predict_proba([picture(0, 0)]).shape == (1, 20)


def test_confidence_on_noise_is_no_more_than_what_is_earned():
    rng = np.random.default_rng(3)
    images, labels = task(60, noise=90)
    labels = [1 - label if rng.uniform() < 0.2 else label for label in labels]
    fresh, truth = task(150, start=5000, noise=90)
    truth = [1 - label if rng.uniform() < 0.2 else label for label in truth]
    model = fit(images, labels, ["upright", "level"], options=SMALL)
    p = model.predict_proba(fresh)
    assert model.temperature > 1
    assert expected_calibration_error(truth, p) < 0.15


def test_images_without_weight_teach_nothing():
    images, labels = task(15)
    wrong = [1 - label for label in labels]
    model = fit(
        images + images, labels + wrong, ["upright", "level"], options=SMALL, sample_weight=[1.0] * 30 + [0.0] * 30
    )
    fresh, truth = task(10, start=300)
    assert accuracy(truth, model.predict_proba(fresh)) >= 0.9


def test_training_is_watched_while_it_runs():
    metrics: list[tuple[str, float]] = []
    told: list[str] = []
    observer = Observer(told.append, lambda name, value: metrics.append((name, value)))
    validation = task(4, start=70, noise=120)
    fit(*task(10, noise=120), ["upright", "level"], options=SMALL, validation=validation, observer=observer)
    losses = [value for name, value in metrics if name == "train:log_loss"]
    assert len(losses) >= 3
    assert losses[-1] < losses[0]
    assert {"validation:log_loss", "validation:accuracy", "cross_validated:ece"} <= {name for name, _ in metrics}
    assert any("temperature" in sentence for sentence in told)


def test_a_class_without_an_image_is_refused_by_name():
    images, _ = task(3)
    with pytest.raises(BadInput, match="tricycle"):
        fit(images, [0, 0, 0, 1, 1, 1], ["upright", "level", "tricycle"])
    with pytest.raises(BadInput, match="level"):
        fit(images, [0, 0, 0, 1, 1, 1], ["upright", "level"], sample_weight=[1, 1, 1, 0, 0, 0])


@pytest.mark.parametrize(
    ("labels", "classes", "more"),
    [
        ([0, 1], ["a", "b"], {}),
        ([0, 1, 2, 0], ["a", "b"], {}),
        ([0, 1, 0, -1], ["a", "b"], {}),
        ([0, 0, 0, 0], ["a"], {}),
        ([0, 1, 0, 1], ["a", "a"], {}),
        ([0, 1, 0, 1], ["a", "b"], {"sample_weight": [1, 1, 1, -1]}),
        ([0, 1, 0, 1], ["a", "b"], {"sample_weight": [1, 1, 1, float("nan")]}),
        ([0, 1, 0, 1], ["a", "b"], {"sample_weight": [1]}),
        ([0, 1, 0, 1], ["a", "b"], {"seed": -1}),
        ([0, 1, 0, 1], ["a", "b"], {"side": 4}),
        ([0, 1, 0, 1], ["a", "b"], {"side": 100_000}),
        ([0, 1, 0, 1], ["a", "b"], {"options": Options(blocks=())}),
        ([0, 1, 0, 1], ["a", "b"], {"options": Options(folds=1)}),
        ([0, 1, 0, 1], ["a", "b"], {"options": Options(penalties=(0.0,))}),
    ],
)
def test_unusable_input_is_refused(labels: list[int], classes: list[str], more: dict[str, object]):
    with pytest.raises(BadInput):
        fit(task(2)[0], labels, classes, **more)


@pytest.mark.parametrize("labels", [[], [0, 1], [0, 1, 2], [0, 1, -1]])
def test_unusable_validation_labels_are_refused(labels: list[int]):
    with pytest.raises(BadInput, match="validation"):
        fit(*task(3), ["upright", "level"], options=SMALL, validation=(task(2)[0][:3], labels))


def test_images_that_are_all_alike_leave_the_model_undecided():
    model = fit([picture(0, 0)] * 8, [0, 1] * 4, ["one", "other"], options=SMALL)
    assert model.predict_proba([picture(0, 0)]) == pytest.approx(0.5, abs=0.1)


def test_an_unreadable_image_is_named(model: Classifier):
    images, labels = task(10)
    images[3] = b"damaged"
    with pytest.raises(BadImage, match=r"^Image 4 of 20: "):
        fit(images, labels, ["upright", "level"], options=SMALL)
    with pytest.raises(BadImage, match=r"^Image 4 of 20: "):
        model.predict_proba(images)
    with pytest.raises(BadImage, match=r"^The file is not"):
        model.predict_proba([b"damaged"])
