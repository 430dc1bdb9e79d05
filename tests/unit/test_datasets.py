"""Dataset versions: what names them, their files, and what reviews make of them."""

import hashlib
from datetime import UTC, datetime

import pytest

from scones_core.domain import datasets
from scones_core.domain.datasets import (
    POOL,
    TEST,
    TRAIN,
    Correction,
    DatasetVersion,
    LabelledImage,
    ReviewedImage,
    class_balance,
    lst_text,
    made_from,
    version_id,
    with_reviewed,
)

CLASSES = ("bicycle", "motorcycle")
A, B = LabelledImage(TEST, "test/a.png", 0, "aa"), LabelledImage(TEST, "test/b.png", 1, "bb")
C, D = LabelledImage(TRAIN, "train/c.png", 0, "cc"), LabelledImage(POOL, "pool/d.png", 1, "dd")
BASE = [A, B, C, D]


def reviewed(sha256: str, class_index: int | None, **origin: str) -> ReviewedImage:
    return ReviewedImage(sha256, f"train/reviewed/{sha256}.png", class_index, **origin)


def test_a_version_is_named_by_its_classes_and_its_images_in_any_order():
    rows = [
        "pool\tpool/d.png\t1\tdd",
        "test\ttest/a.png\t0\taa",
        "test\ttest/b.png\t1\tbb",
        "train\ttrain/c.png\t0\tcc",
    ]
    digest = hashlib.sha256("\n".join([*CLASSES, *rows]).encode()).hexdigest()
    assert version_id(CLASSES, BASE) == version_id(CLASSES, BASE[::-1]) == digest[:12]
    assert version_id(CLASSES[::-1], BASE) != version_id(CLASSES, BASE) != version_id(CLASSES, BASE[1:])


def test_a_test_set_is_named_by_its_images_and_labels_whatever_else_there_is():
    digest = hashlib.sha256(b"aa\t0\nbb\t1").hexdigest()
    assert datasets.test_set_id(BASE) == datasets.test_set_id([B, A]) == digest[:12]
    assert datasets.test_set_id([A, LabelledImage(TEST, "test/b.png", 0, "bb")]) != digest[:12]


def test_an_lst_file_numbers_the_images_of_its_split_and_names_them_below_its_folder():
    assert lst_text(BASE, TEST) == "0\t0\ta.png\n1\t1\tb.png\n"
    assert lst_text(BASE, TRAIN) == "0\t0\tc.png\n"
    assert lst_text([A], POOL) == ""


def test_the_balance_counts_every_class_of_every_split_that_has_images():
    counted = [("train", "bicycle", 1), ("train", "motorcycle", 0), ("test", "bicycle", 2), ("test", "motorcycle", 0)]
    rows = [{"split": split, "class": name, "images": images} for split, name, images in counted]
    assert class_balance([A, A, C], CLASSES) == rows


def test_a_reviewed_image_replaces_itself_in_training_or_leaves_the_pool_for_it():
    revision = with_reviewed(BASE, [reviewed("cc", 1), reviewed("dd", 0), reviewed("new", 1)])
    train = [LabelledImage(TRAIN, f"train/reviewed/{sha}.png", i, sha) for sha, i in (("cc", 1), ("dd", 0), ("new", 1))]
    assert (revision.images, revision.corrections, revision.added) == (sorted([A, B, *train]), [], 3)


def test_what_a_trained_image_was_derived_from_leaves_the_pool_and_nothing_else():
    revision = with_reviewed(
        BASE, [reviewed("x", 1, made_from="pool/d.png"), reviewed("y", 1, made_from="train/c.png")]
    )
    assert [image.sha256 for image in revision.images] == ["aa", "bb", "cc", "x", "y"]


def test_an_image_of_none_of_the_classes_leaves_training_and_the_pool():
    revision = with_reviewed(BASE, [reviewed("cc", None), reviewed("dd", None)])
    assert (revision.images, revision.added) == ([A, B], 0)


@pytest.mark.parametrize(
    "review",
    [
        reviewed("aa", 1),
        reviewed("x", 1, copy_of="test/a.png"),
        reviewed("x", 1, made_from="test/a.png"),
        reviewed("x", 1, made_from="a.png"),
    ],
)
def test_a_review_of_a_test_image_or_of_what_was_made_from_it_corrects_its_label(review: ReviewedImage):
    revision = with_reviewed(BASE, [review])
    assert revision.corrections == [Correction("test/a.png", 0, 1)]
    assert revision.images == sorted([LabelledImage(TEST, "test/a.png", 1, "aa"), B, C, D])
    assert revision.added == 0


def test_corrections_come_in_order_of_their_keys_and_name_changes_only():
    revision = with_reviewed(BASE, [reviewed("bb", 0), reviewed("aa", 1)])
    assert [(c.key, c.was, c.now) for c in revision.corrections] == [("test/a.png", 0, 1), ("test/b.png", 1, 0)]
    revision = with_reviewed(BASE, [reviewed("bb", 1), reviewed("aa", None)])
    assert (revision.corrections, revision.images) == ([Correction("test/a.png", 0, None)], sorted(BASE))


def test_the_newest_review_of_a_copy_counts_and_that_of_the_test_image_itself_before_all():
    newest, older = reviewed("x", 1, copy_of=A.key), reviewed("y", 0, copy_of=A.key)
    assert with_reviewed(BASE, [newest, older]).corrections == [Correction(A.key, 0, 1)]
    assert with_reviewed(BASE, [older, newest]).corrections == []
    assert with_reviewed(BASE, [older, newest, reviewed("aa", None)]).corrections == [Correction(A.key, 0, None)]


def test_an_image_that_older_versions_derived_is_found_by_its_file_name_in_any_folder():
    deep = LabelledImage(TEST, "test/bicycle/deep/e.png", 0, "ee")
    found = with_reviewed([deep], [reviewed("x", 1, made_from="e.png")])
    assert found.corrections == [Correction(deep.key, 0, 1)]


@pytest.mark.parametrize(("pool", "sent"), [(7, POOL), (0, TEST)])
def test_the_pool_is_sent_and_without_one_the_test_images(pool: int, sent: str):
    version = DatasetVersion(
        "id", datetime(2026, 1, 1, tzinfo=UTC), CLASSES, "folder", generated=False, train=100, test=20, pool=pool
    )
    assert (version.images, version.sent_split) == (120 + pool, sent)


@pytest.mark.parametrize(
    ("key", "origin"),
    [
        *(("traffic/dark/pool/d.png", "pool/d.png"), ("traffic/dark/d.png", "d.png"), ("traffic/dark/", None)),
        *(("traffic/dark", None), ("pool/traffic/dark/d.png", None), ("pool/d.png", None), ("", None), (None, None)),
    ],
)
def test_a_derived_image_tells_by_its_key_what_it_was_made_from(key: str | None, origin: str | None):
    assert made_from(key) == origin
