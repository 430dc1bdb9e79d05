"""Which folders are splits, which are classes, and when that is asked."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from scones_core.errors import BadInput
from scones_core.sources import Skipped, open_source
from tests.unit.sources.pictures import picture, taken_and_skipped, write

CLASSES = ("bun", "scone")
QUESTION = "does not say whether they are splits or classes"


def of_classes(*folders: str, classes: Sequence[str] = CLASSES) -> dict[str, bytes]:
    """Two pictures of each class in each folder."""
    names = [f"{folder}/{label}/{n}.png" for folder in folders for label in classes for n in range(2)]
    return {name: picture(number) for number, name in enumerate(names)}


def flat(*folders: str) -> dict[str, bytes]:
    names = [f"{folder}/{n}.png" for folder in folders for n in range(2)]
    return {name: picture(1000 + number) for number, name in enumerate(names)}


def read(spec: str) -> tuple[tuple[str, ...], Counter[str], list[Skipped]]:
    """The classes, the images in each split, and what is skipped."""
    source = open_source(spec, cache=Path("unused"))
    taken, skipped = taken_and_skipped(source)
    return source.classes, Counter(image.split for image in taken), skipped


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("seg_train", "seg_test"),
        ("dataset_train", "dataset_test"),
        ("images_train", "images_val"),
        ("imgs_train", "photos_test"),
        ("my_train", "my_test"),
        ("01_train", "02_test"),
        ("xtrain", "xtest"),
        ("trainA", "testA"),
        ("train.old", "test.old"),
        ("train", "seg_test"),
        ("ｔｒａｉｎ", "ｔｅｓｔ"),
    ],
)
def test_splits_may_have_another_word_in_their_names(tmp_path: Path, train: str, test: str) -> None:
    assert read(write(tmp_path / "p", of_classes(train, test))) == (CLASSES, {"train": 4, "test": 4}, [])


def test_a_doubled_folder_counts_once_and_pictures_without_a_class_are_told(tmp_path: Path) -> None:
    files = of_classes("seg_train/seg_train", "seg_test/seg_test") | flat("seg_pred/seg_pred")
    classes, counted, skipped = read(write(tmp_path / "p", files))
    assert (classes, counted) == (CLASSES, {"train": 4, "test": 4})
    assert skipped == [Skipped(f"seg_pred/seg_pred/{n}.png", "it lies in no class folder") for n in range(2)]


def test_a_pool_and_validation_may_be_called_so_too(tmp_path: Path) -> None:
    files = of_classes("my_train", "my_val", "my_test", "my_pool")
    classes, counted, _skipped = read(write(tmp_path / "p", files))
    assert (classes, counted) == (CLASSES, {"train": 8, "test": 4, "pool": 4})


@pytest.mark.parametrize(
    "names",
    [
        ("train", "unlabeled"),
        ("train", "query"),
        ("seg_train", "seg_pred"),
        ("Тrain", "test"),
        ("my_train", "your_test"),
        ("seg_train", "seg_test", "depth_val"),
    ],
)
def test_it_is_asked_where_folders_of_classes_are_called_as_splits_and_others_are_not(
    tmp_path: Path, names: Sequence[str]
) -> None:
    with pytest.raises(
        BadInput, match=f"^p has “.*” beside “.*”, and {QUESTION}: call splits train, test, val or pool"
    ):
        read(write(tmp_path / "p", of_classes(*names)))


def test_it_is_asked_beside_a_folder_of_pictures_as_well(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"^p has “train” beside “unlabeled”, and {QUESTION}"):
        read(write(tmp_path / "p", of_classes("train") | flat("unlabeled")))


@pytest.mark.parametrize(
    "names",
    [
        ("bus", "train"),
        ("test tube", "training shoe"),
        ("seg_test", "seg_train"),
        ("tester", "trainer"),
        ("valid", "invalid"),
        ("test drive", "val d'isere", "validator"),
    ],
)
def test_folders_of_pictures_are_classes_whatever_they_are_called(tmp_path: Path, names: Sequence[str]) -> None:
    assert read(write(tmp_path / "p", flat(*names)))[0] == tuple(sorted(names))


@pytest.mark.parametrize(
    "names", [("tester", "trainer"), ("house", "swimming_pool"), ("interval", "latest"), ("restrain", "retest")]
)
def test_classes_may_have_folders_of_their_own(tmp_path: Path, names: Sequence[str]) -> None:
    assert read(write(tmp_path / "p", of_classes(*names)))[0] == names


def test_classes_called_as_splits_may_be_divided_into_splits(tmp_path: Path) -> None:
    names = [f"{label}/{split}/{n}.png" for label in ("bus", "train") for split in ("train", "test") for n in range(2)]
    files = {name: picture(number) for number, name in enumerate(names)}
    assert read(write(tmp_path / "p", files)) == (("bus", "train"), {"train": 4, "test": 4}, [])


@pytest.mark.parametrize("beside", ["README.md", "LICENSE", "Icon\r", "labels/notes.txt"])
def test_what_lies_beside_the_only_folder_of_pictures_does_not_matter(tmp_path: Path, beside: str) -> None:
    files = of_classes("root/data/train", "root/data/test") | {beside: b"x", "root/labels.csv": b"x"}
    assert read(write(tmp_path / "p", files)) == (CLASSES, {"train": 4, "test": 4}, [])


def test_a_picture_beside_the_only_folder_is_told(tmp_path: Path) -> None:
    files = of_classes("root/train", "root/test") | {"cover.png": picture(99), "root/cover.png": picture(98)}
    classes, counted, skipped = read(write(tmp_path / "p", files))
    assert (classes, counted) == (CLASSES, {"train": 4, "test": 4})
    assert sorted((skip.name, skip.reason) for skip in skipped) == [
        ("cover.png", "another file has the same name"),
        ("cover.png", "it lies in no class folder"),
    ]


def test_a_single_class_is_not_taken_for_a_folder_around_everything(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is only “bun”"):
        read(write(tmp_path / "p", flat("bun") | {"README.md": b"x", "bun/notes/x.txt": b"x"}))
