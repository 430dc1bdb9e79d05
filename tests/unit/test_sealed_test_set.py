"""Test images are sealed: sent only where there is no pool, never trained on, never fewer."""

import hashlib
import io
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scones_core.domain.datasets import POOL, TEST, TRAIN
from scones_core.domain.drift import SimulatedDrift
from scones_core.domain.review import OTHER, Strategy
from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.services import (
    App,
    batch,
    capture,
    classification,
    demo,
    deployment,
    etl,
    registration,
    retraining,
    review,
    traffic,
    training,
)
from tests.conftest import MadeHome, png, write_images
from tests.unit.test_ingest import line

CLASSES = ("bicycle", "motorcycle")


def put_in_service(app: App, images: Path, **options: Any) -> None:
    """A model of 20 training and 12 test images a class, in service."""
    etl.load(app, str(write_images(images, train=20)), **options)
    registration.wait(app, training.start(app).name)
    deployment.deploy(app)


@pytest.fixture(scope="module")
def pooled_home(made_home: MadeHome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    images = tmp_path_factory.mktemp("pooled") / "images"
    return made_home("pooled", lambda app: put_in_service(app, images, pool_share=0.2))


@pytest.fixture(scope="module")
def unpooled_home(made_home: MadeHome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    images = tmp_path_factory.mktemp("unpooled") / "images"
    return made_home("unpooled", lambda app: put_in_service(app, images))


@pytest.fixture
def pooled(pooled_home: Path, tmp_path: Path, open_home: Callable[[], App]) -> App:
    """A model in service, and a pool of four images a class."""
    shutil.copytree(pooled_home, tmp_path / "home", symlinks=True)
    return open_home()


@pytest.fixture
def unpooled(unpooled_home: Path, tmp_path: Path, open_home: Callable[[], App]) -> App:
    """A model in service, and no pool."""
    shutil.copytree(unpooled_home, tmp_path / "home", symlinks=True)
    return open_home()


def send(app: App, keys: list[str]) -> None:
    classification.classify(app, keys)
    capture.ingest(app)


def keys(app: App, split: str) -> list[str]:
    return [image.key for image in etl.images(app, etl.get(app).id, split)]


def sealed(app: App, dataset: str | None = None) -> set[tuple[str, str]]:
    return {(image.key, image.sha256) for image in etl.images(app, dataset or etl.get(app).id, TEST)}


def review_all(app: App, label: str) -> int:
    """Give every captured image the same label; how many."""
    items = review.next_items(app, "ann", count=100)
    for item in items:
        review.decide(app, item.id, label, "ann")
    return len(items)


def test_a_share_of_each_class_is_set_aside_as_pool(pooled: App):
    version = etl.get(pooled)
    assert (version.train, version.pool, version.test) == (32, 8, 24)
    assert Counter(i.class_index for i in etl.images(pooled, version.id, POOL)) == {0: 4, 1: 4}


def test_what_is_sent_comes_from_the_pool(pooled: App):
    pool = set(keys(pooled, POOL))
    assert set(classification.sample_keys(pooled, 30)) == pool
    traffic.send(pooled, 6)
    name = batch.start(pooled)
    batch.wait(pooled, name)
    capture.ingest(pooled)
    assert {item.image for item in review.next_items(pooled, "ann", count=100)} <= pool


def test_test_images_are_sent_when_asked_for(pooled: App):
    assert set(classification.sample_keys(pooled, 50, split=TEST)) == set(keys(pooled, TEST))
    with pytest.raises(BadInput, match="train"):
        classification.sample_keys(pooled, 1, split=TRAIN)


def test_without_a_pool_test_images_are_sent_and_a_pool_is_missed_by_name(unpooled: App):
    assert set(classification.sample_keys(unpooled, 50)) == set(keys(unpooled, TEST))
    with pytest.raises(NotFound, match="no pool"):
        classification.sample_keys(unpooled, 1, split=POOL)


def test_a_batch_of_all_images_leaves_out_those_of_other_dataset_versions(pooled: App):
    pooled.backend.objects.put("pool/left-over.png", pooled.backend.objects.get(keys(pooled, POOL)[0]))
    assert batch.wait(pooled, batch.start(pooled)).images == 8


def test_reviewed_pool_images_are_trained_on_and_the_test_set_stays(pooled: App):
    before, parent = sealed(pooled), etl.get(pooled)
    send(pooled, keys(pooled, POOL))
    assert review_all(pooled, "bicycle") == 8
    version = retraining.new_dataset(pooled)
    assert (version.train, version.pool, version.new_labels) == (40, 0, 8)
    assert sealed(pooled) == before
    assert version.test_set == parent.test_set


def test_a_review_of_a_test_image_corrects_its_label_and_is_never_trained_on(pooled: App):
    wrong = next(i for i in etl.images(pooled, etl.get(pooled).id, TEST) if i.class_index == 1)
    send(pooled, [wrong.key, keys(pooled, POOL)[0]])
    before, test_set = sealed(pooled), etl.get(pooled).test_set
    review_all(pooled, "bicycle")
    version = retraining.new_dataset(pooled)
    assert version.corrections == ({"key": wrong.key, "was": "motorcycle", "now": "bicycle"},)
    assert sealed(pooled) == before
    assert version.test_set != test_set
    assert wrong.sha256 not in {image.sha256 for image in etl.images(pooled, version.id, TRAIN)}
    [relabelled] = [i for i in etl.images(pooled, version.id, TEST) if i.key == wrong.key]
    assert relabelled.class_index == 0


def test_reviews_of_test_images_alone_make_no_new_labels(unpooled: App):
    send(unpooled, keys(unpooled, TEST)[:6])
    review_all(unpooled, "bicycle")
    assert retraining.new_labels(unpooled) == 0
    with pytest.raises(Conflict, match="never trained on"):
        retraining.new_dataset(unpooled)


def test_changed_copies_of_test_images_are_never_trained_on(unpooled: App):
    traffic.send(unpooled, 6, drift=SimulatedDrift.DARK, seed=0)
    capture.ingest(unpooled)
    assert review_all(unpooled, "bicycle") > 0
    assert retraining.new_labels(unpooled) == 0
    with pytest.raises(Conflict, match="never trained on"):
        retraining.new_dataset(unpooled)


def photo(seed: int) -> Image.Image:
    """A picture unlike all others: smooth, in colour."""
    small = Image.effect_noise((6, 6), 90 + seed).resize((64, 64), Image.Resampling.BICUBIC)
    hue = Image.effect_noise((4, 4), 60 + seed).resize((64, 64), Image.Resampling.BICUBIC)
    return Image.merge("RGB", (small, hue, Image.effect_noise((5, 5), 80).resize((64, 64), Image.Resampling.BICUBIC)))


def saved(picture: Image.Image, format: str) -> bytes:
    written = io.BytesIO()
    picture.save(written, format, quality=85)
    return written.getvalue()


def test_an_uploaded_copy_of_a_test_image_is_recognised_and_corrects_it(app: App, tmp_path: Path):
    pictures = {split: [photo(n) for n in range(8)] for split in (TRAIN, TEST)}
    for split, made in pictures.items():
        for number, picture in enumerate(made):
            folder = tmp_path / "photos" / split / CLASSES[number % 2]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{number}.png").write_bytes(saved(picture, "PNG"))
    etl.load(app, str(tmp_path / "photos"))
    registration.wait(app, training.start(app).name)
    deployment.deploy(app)
    copy = classification.upload(app, "copy.jpg", saved(pictures[TEST][1], "JPEG"))
    other = classification.upload(app, "new.jpg", saved(photo(20), "JPEG"))
    send(app, [copy, other])
    review_all(app, "bicycle")
    version = retraining.new_dataset(app)
    assert [row["now"] for row in version.corrections] == ["bicycle"]
    assert (version.train, version.test, version.new_labels) == (9, 8, 1)
    assert retraining.new_labels(app) == 0


def test_both_models_are_compared_on_the_whole_test_set(pooled: App):
    send(pooled, keys(pooled, POOL))
    demo.review_by_known_labels(pooled)
    found = retraining.retrain(pooled)
    assert found.comparison.images == 24
    assert found.challenger.accuracy.images == found.champion.accuracy.images == 24


def test_the_image_is_copied_at_the_decision_so_that_captures_may_expire(pooled: App):
    send(pooled, keys(pooled, POOL)[:3])
    review_all(pooled, "bicycle")
    for info in list(pooled.backend.objects.list("captures/")):
        pooled.backend.objects.delete(info.key)
    assert retraining.new_dataset(pooled).new_labels == 3


def test_an_image_that_is_gone_is_left_out_by_name_and_keeps_no_other_back(pooled: App):
    send(pooled, keys(pooled, POOL)[:3])
    review_all(pooled, "bicycle")
    with pooled.db.write() as connection:  # as an older version of the app, which copied images later
        connection.exec_driver_sql("UPDATE decisions SET stored_key = NULL")
    for prefix in ("captures/", "train/reviewed/"):
        for info in list(pooled.backend.objects.list(prefix)):
            pooled.backend.objects.delete(info.key)
    gone = keys(pooled, POOL)[0]
    pooled.backend.objects.delete(gone)
    version = retraining.new_dataset(pooled)
    assert version.new_labels == 2
    assert [row["name"] for row in version.skipped] == [gone]


def test_a_damaged_copy_of_a_reviewed_image_is_made_anew_from_its_capture(pooled: App):
    send(pooled, keys(pooled, POOL)[:3])
    review_all(pooled, "bicycle")
    for info in list(pooled.backend.objects.list("train/reviewed/"))[:2]:
        whole = pooled.backend.objects.get(info.key)
        pooled.backend.objects.put(info.key, whole[: len(whole) // 2])
    version = retraining.new_dataset(pooled)
    assert (version.new_labels, version.skipped) == (3, ())
    for image in etl.images(pooled, version.id):
        assert hashlib.sha256(etl.image(pooled, image.key)).hexdigest() == image.sha256


def test_a_reviewed_image_of_an_earlier_version_that_is_damaged_for_good_is_left_out_of_the_next(pooled: App):
    send(pooled, keys(pooled, POOL)[:2])
    review_all(pooled, "bicycle")
    first = retraining.new_dataset(pooled)
    [lost, *_] = [image for image in etl.images(pooled, first.id) if image.key.startswith("train/reviewed/")]
    send(pooled, keys(pooled, POOL)[2:4])
    review_all(pooled, "bicycle")
    for info in list(pooled.backend.objects.list("captures/")):
        pooled.backend.objects.delete(info.key)
    for image in etl.images(pooled, etl.versions(pooled)[-1].id):
        if image.sha256 == lost.sha256:
            pooled.backend.objects.delete(image.key)
    pooled.backend.objects.put(lost.key, b"half")
    second = retraining.new_dataset(pooled)
    assert lost.key not in {image.key for image in etl.images(pooled, second.id)}
    assert (second.new_labels, len(second.skipped)) == (2, 1)


def test_a_decision_keeps_why_the_image_was_shown_and_under_which_classes(pooled: App):
    send(pooled, keys(pooled, POOL))
    first = review.next_items(pooled, "ann", strategy=Strategy.RANDOM, count=2)[0]
    assert first.probability == pytest.approx(2 / 8)
    review.decide(pooled, first.id, "bicycle", "ann")
    ranked = review.next_items(pooled, "bob", count=1)[0]
    review.decide(pooled, ranked.id, "other", "bob")
    with pooled.db.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT strategy, probability, model, classes, label FROM decisions ORDER BY id"
        ).all()
    classes = '["bicycle", "motorcycle"]'
    assert rows == [("random", 0.25, 1, classes, "bicycle"), ("least_confidence", 1.0, 1, classes, OTHER)]


def test_a_taken_back_decision_is_shown_again_for_the_same_reason(pooled: App):
    send(pooled, keys(pooled, POOL))
    item = review.next_items(pooled, "ann", strategy=Strategy.RANDOM)[0]
    review.decide(pooled, item.id, "bicycle", "ann")
    review.undo(pooled, "ann")
    review.decide(pooled, item.id, "motorcycle", "ann")
    with pooled.db.read() as connection:
        strategies = connection.exec_driver_sql("SELECT strategy FROM decisions WHERE action = 'label'").scalars().all()
    assert strategies == ["random", "random"]


def test_every_open_image_is_equally_likely_to_be_drawn(app: App, images: Path):
    """Two hundred draws of one of four; each comes 50 times, give or take five standard deviations."""
    etl.load(app, str(images))
    lines = b"".join(line(id, 0.6, image=png(ord(id), upright=True)) for id in "abcd")
    capture.ingest_files(app, [lines], classes=CLASSES)
    drawn = Counter(review.next_items(app, "ann", strategy=Strategy.RANDOM)[0].id for _ in range(200))
    assert all(abs(drawn[id] - 50) < 5 * 6.1 for id in "abcd")


def test_the_demo_replaces_what_serves_only_when_told(pooled: App):
    with pytest.raises(Conflict, match="v1 is in service"):
        next(demo.run(pooled, source="sample"))
    assert etl.get(pooled).source == "images"
