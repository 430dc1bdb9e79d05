"""One folder per class: how images are divided into splits."""

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from scones_core.sources import Skipped, Source
from tests.unit.sources.pictures import images, picture, pictures_of, taken_and_skipped


def test_one_folder_per_class_is_divided_about_five_to_one_in_every_class(opened: Callable[..., Source]) -> None:
    source = opened(pictures_of("ab", 120))
    counted = Counter((image.split, image.label) for image in images(source))
    assert source.classes == ("a", "b")
    assert source.total == 240
    for label in "ab":
        assert 10 <= counted["test", label] <= 32
        assert counted["train", label] + counted["test", label] == 120


def test_a_picture_falls_on_the_same_side_whatever_stands_beside_it(
    opened: Callable[..., Source], tmp_path: Path
) -> None:
    def sides(source: Source) -> dict[bytes, str]:
        return {image.data: image.split for image in images(source)}

    few = sides(opened(pictures_of("ab", 40)))
    many = sides(opened(pictures_of("abc", 60)))
    assert few.items() <= many.items()


def test_copies_of_a_picture_never_stand_on_both_sides(opened: Callable[..., Source]) -> None:
    files = pictures_of("ab", 30)
    copies = {f"b/copy of {name.replace('/', ' ')}": content for name, content in files.items()}
    sides: dict[str, set[str]] = {}
    for image in images(opened(files | copies)):
        sides.setdefault(hashlib.sha256(image.data).hexdigest(), set()).add(image.split)
    assert len(sides) == 60
    assert all(len(side) == 1 for side in sides.values())


def test_names_that_occur_in_several_classes_are_told_apart(opened: Callable[..., Source]) -> None:
    given = [(image.split, image.name) for image in images(opened(pictures_of("abc", 20)))]
    assert len(set(given)) == len(given) == 60


def test_a_small_class_keeps_one_picture_for_the_test(opened: Callable[..., Source]) -> None:
    counted = Counter((image.split, image.label) for image in images(opened(pictures_of("ab", 2))))
    assert counted == {("test", "a"): 1, ("train", "a"): 1, ("test", "b"): 1, ("train", "b"): 1}


def test_train_and_test_folders_of_classes_are_kept_apart(opened: Callable[..., Source]) -> None:
    files = pictures_of("ab", 3, "train/") | pictures_of("ab", 2, "test/")
    files = {name: picture(n) for n, name in enumerate(files)} | {"cover.png": picture(99)}
    taken, skipped = taken_and_skipped(opened(files))
    assert Counter((image.split, image.label) for image in taken) == {
        ("train", "a"): 3,
        ("train", "b"): 3,
        ("test", "a"): 2,
        ("test", "b"): 2,
    }
    assert skipped == [Skipped("cover.png", "it lies in no class folder")]


def test_a_class_may_be_called_train(opened: Callable[..., Source]) -> None:
    files = {f"{name}/{n}.png": picture(10 * len(name) + n) for name in ("bus", "train") for n in range(3)}
    assert opened(files).classes == ("bus", "train")


def test_a_train_folder_alone_is_divided(opened: Callable[..., Source]) -> None:
    counted = Counter(image.split for image in images(opened(pictures_of("ab", 40, "train/"))))
    assert counted.keys() == {"train", "test"}


def test_the_same_picture_in_test_and_train_is_left_out_of_train_even_in_another_encoding(
    opened: Callable[..., Source],
) -> None:
    files = {
        "test/a/1.png": picture(1),
        "test/b/2.png": picture(2),
        "train/a/3.png": picture(3),
        "train/b/4.png": picture(4),
        "train/a/leak.png": picture(1, mode="RGBA"),
    }
    _taken, skipped = taken_and_skipped(opened(files))
    reason = "the same picture is in the test split (test/a/1.png) and is kept there"
    assert skipped == [Skipped("train/a/leak.png", reason)]
