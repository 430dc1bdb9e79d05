"""Embeddings of images, and what is like or unlike the training images."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from scones_core.db import embeddings as table
from scones_core.db import schema
from scones_core.errors import BadInput
from scones_core.services import (
    App,
    capture,
    classification,
    dataset_changes,
    embedding_store,
    embeddings,
    etl,
    likeness,
    likeness_map,
    training,
)
from tests.conftest import on_every_database, png, write_images


def keys(app: App) -> list[str]:
    return [item.key for item in app.backend.objects.list(embedding_store.PREFIX)]


@on_every_database
def test_every_image_is_embedded_once(app: App, images: Path):
    etl.load(app, str(images))
    count = len({image.sha256 for image in etl.images(app, etl.get(app).id)})
    every = [image.sha256 for image in etl.images(app, etl.get(app).id)]
    assert embedding_store.waiting(app, every) == count
    assert embeddings.embed_new(app) == count
    assert (embedding_store.embedded(app), embedding_store.waiting(app, every)) == (count, 0)
    written = keys(app)
    assert embeddings.embed_new(app) == 0
    assert keys(app) == written
    [one, *_] = etl.images(app, etl.get(app).id)
    assert embedding_store.vectors(app, [one.sha256, "unknown"]).keys() == {one.sha256}


def test_a_lost_or_damaged_segment_is_computed_again(app: App, images: Path):
    etl.load(app, str(images))
    embeddings.embed_new(app)
    every = [image.sha256 for image in etl.images(app, etl.get(app).id)]
    before = embedding_store.vectors(app, every)
    for damage in (app.backend.objects.delete, lambda key: app.backend.objects.put(key, b"x")):
        damage(keys(app)[0])
        assert embedding_store.vectors(app, every) == {}
        embeddings.embed_new(app)
        again = embedding_store.vectors(app, every)
        assert again.keys() == before.keys()
        assert all(np.array_equal(again[name], before[name]) for name in before)


def test_small_segments_are_merged(app: App):
    for seed in range(embedding_store.SMALL + 2):
        data = png(seed, upright=True)
        embeddings.embed(app, [(hashlib.sha256(data).hexdigest(), lambda data=data: data)])
    assert len(keys(app)) == embedding_store.SMALL + 2
    every = [hashlib.sha256(png(seed, upright=True)).hexdigest() for seed in range(embedding_store.SMALL + 2)]
    before = embedding_store.vectors(app, every)
    embeddings.embed_new(app)
    assert len(keys(app)) == 1
    assert len(before) == embedding_store.SMALL + 2
    assert all(np.array_equal(vector, before[name]) for name, vector in embedding_store.vectors(app, every).items())


def test_an_undecodable_image_is_not_tried_again(app: App):
    embeddings.embed(app, [("f" * 64, lambda: b"no picture")])
    with app.db.read() as connection:
        assert table.known(connection, embedding_store.EXTRACTOR, ["f" * 64]) == {"f" * 64}
    assert embedding_store.vectors(app, ["f" * 64]) == {}


def test_what_does_not_belong_is_marked_and_what_belongs_is_not(serving: App, tmp_path: Path):
    strange = tmp_path / "strange"
    strange.mkdir()
    rng = np.random.default_rng(5)
    from PIL import Image

    for i in range(6):
        row, column = np.mgrid[:64, :64]
        disc = ((row - 32) ** 2 + (column - 32) ** 2 < 400)[..., None] * rng.integers(120, 255, 3)
        Image.fromarray(disc.astype(np.uint8)).save(strange / f"disc_{i}.png")
    strangers = [classification.upload(serving, path.name, path.read_bytes()) for path in sorted(strange.iterdir())]
    for _ in classification.classify(serving, [*strangers, *classification.sample_keys(serving, 20)]):
        pass
    capture.ingest(serving)
    done = likeness.update(serving)
    assert done.compared == 26
    marks = likeness.marks(serving, [row["event_id"] for row in inferences(serving)])
    by_name = {row["image_key"]: marks[row["event_id"]] for row in inferences(serving)}
    assert all(mark.unlike for key, mark in by_name.items() if "disc" in key)
    assert sum(mark.unlike for key, mark in by_name.items() if "disc" not in key) <= 3
    assert likeness.update(serving).compared == 0


def inferences(app: App) -> list[dict[str, object]]:
    with app.db.read() as connection:
        return [dict(row) for row in connection.execute(sa.select(schema.inferences)).mappings()]


def test_the_most_alike_come_first(app: App, tmp_path: Path):
    etl.load(app, str(write_images(tmp_path / "images", train=16)))
    embeddings.embed_new(app)
    images = etl.images(app, etl.get(app).id)
    found = likeness.like(app, images[0].sha256, among=[image.sha256 for image in images], count=5)
    assert len(found) == 5
    assert images[0].sha256 not in [match.sha256 for match in found]
    assert [match.cosine for match in found] == sorted((match.cosine for match in found), reverse=True)


def test_a_second_process_computes_nothing_again(open_home: Callable[[], App], images: Path):
    one = open_home()
    etl.load(one, str(images))
    embeddings.embed_new(one)
    assert embeddings.embed_new(open_home()) == 0


def test_held_out_answers_of_training_are_read_with_their_images(serving: App):
    [model] = training.models(serving)
    found = training.held_out(serving, model)
    images = {image.sha256: image.class_index for image in etl.images(serving, model.dataset, "train")}
    assert {image.sha256: image.class_index for image, _ in found} == images
    right = [max(range(2), key=row.__getitem__) == image.class_index for image, row in found]
    assert sum(right) / len(right) > 0.7


def test_neighbours_are_told_with_what_they_show_and_where_from(serving: App):
    for _ in classification.classify(serving, classification.sample_keys(serving, 4)):
        pass
    capture.ingest(serving)
    likeness.update(serving)
    image = etl.images(serving, etl.get(serving).id, "train")[0]
    around = likeness.neighbours(serving, image.sha256, count=6)
    found, among = around.nearest, around.among
    assert among == len({one.sha256 for one in etl.images(serving, etl.get(serving).id)})
    assert len(found) == 6
    assert all(
        one.what.startswith(("bicycle, ", "motorcycle, ")) and serving.backend.objects.get(one.key) for one in found
    )
    itself = around.itself
    assert itself is not None
    assert itself.key == image.key


def test_on_a_map_like_lies_near_like(app: App, images: Path):
    etl.load(app, str(images))
    embeddings.embed_new(app)
    listed = etl.images(app, etl.get(app).id)
    places = likeness_map.places(app, [image.sha256 for image in listed])
    assert [place.sha256 for place in places] == sorted({image.sha256 for image in listed})
    label = {image.sha256: image.class_index for image in listed}
    points = np.array([[place.x, place.y] for place in places])
    distances = np.linalg.norm(points[:, None] - points, axis=2) + 1e9 * np.eye(len(points))
    same = [
        label[place.sha256] == label[places[i].sha256] for place, i in zip(places, distances.argmin(1), strict=True)
    ]
    assert sum(same) / len(same) > 0.8
    assert likeness_map.places(app, [image.sha256 for image in listed]) == places
    assert likeness_map.places(app, ["unknown"]) == []


def test_excluded_images_are_missing_in_a_new_version_and_test_images_stay(app: App, images: Path):
    version = etl.load(app, str(images))
    listed = etl.images(app, version.id)
    out = {image.sha256 for image in listed if image.split == "train"} - {listed[-1].sha256}
    some = set(sorted(out)[:3])
    new = dataset_changes.exclude(app, version.id, some | {image.sha256 for image in listed if image.split == "test"})
    assert new.parent == version.id
    assert etl.current(app) == new
    assert new.train == version.train - 3
    assert new.test == version.test
    assert new.test_set == version.test_set
    with pytest.raises(BadInput, match="sealed"):
        dataset_changes.exclude(app, new.id, some)
    with pytest.raises(BadInput, match="No training image of"):
        dataset_changes.exclude(app, new.id, {image.sha256 for image in etl.images(app, new.id, "train")})


def test_what_does_not_belong_is_listed_with_the_least_similar_first(serving: App, tmp_path: Path):
    model = training.models(serving)[0].number
    assert likeness.unlike(serving, model) is None
    from PIL import Image

    blue = tmp_path / "blue.png"
    Image.new("RGB", (40, 40), (10, 20, 250)).save(blue)
    keys = [classification.upload(serving, "blue.png", blue.read_bytes()), *classification.sample_keys(serving, 10)]
    for _ in classification.classify(serving, keys):
        pass
    capture.ingest(serving)
    likeness.update(serving)
    found = likeness.unlike(serving, model)
    assert found is not None
    assert found.compared == 11
    assert found.unlike == len(found.strangers) >= 1
    assert found.strangers[0].image_sha256 == hashlib.sha256(blue.read_bytes()).hexdigest()
    assert keys[0] in likeness.unlike_keys(serving, keys)
    assert len(likeness.unlike_keys(serving, keys)) == found.unlike
    similarities = [one.similarity for one in found.strangers]
    assert similarities == sorted(similarities)
    assert max(similarities) < found.level
