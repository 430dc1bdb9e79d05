"""One picture in two places: under two classes, or as a copy of a test picture that would be trained on."""

import io
import random
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from benchmarks.sample import picture
from scones_core.sources import Skipped, open_source


def drawn(number: int) -> Image.Image:
    drawing = picture(("bicycle", "motorcycle")[number % 2], random.Random(number))
    return ImageOps.autocontrast(drawing, cutoff=2)


def save(image: Image.Image, path: Path) -> None:
    written = io.BytesIO()
    image.save(written, "JPEG" if path.suffix == ".jpg" else "PNG", quality=80)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written.getvalue())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(24):
        split, label = ("test", "train")[number // 12], ("bicycle", "motorcycle")[number % 2]
        save(drawn(number), tmp_path / "own" / split / label / f"{number:02}.png")
    return tmp_path / "own"


def skipped(folder: Path, tmp_path: Path, *, images: int) -> dict[str, str]:
    items = list(open_source(str(folder), cache=tmp_path / "cache").items)
    left_out = {item.name: item.reason for item in items if isinstance(item, Skipped)}
    assert len(items) - len(left_out) == images
    return left_out


def test_a_copy_of_a_test_picture_is_left_out_of_train_and_both_are_named(folder: Path, tmp_path: Path):
    save(drawn(0), folder / "train" / "bicycle" / "copy.jpg")
    found = skipped(folder, tmp_path, images=24)
    assert list(found) == ["train/bicycle/copy.jpg"]
    assert "test/bicycle/00.png" in found["train/bicycle/copy.jpg"]


def test_a_copy_of_a_test_picture_is_left_out_of_the_pool(folder: Path, tmp_path: Path):
    save(drawn(0), folder / "pool" / "bicycle" / "copy.jpg")
    assert list(skipped(folder, tmp_path, images=24)) == ["pool/bicycle/copy.jpg"]


def test_a_picture_under_two_classes_is_named_with_both(folder: Path, tmp_path: Path):
    save(drawn(12), folder / "train" / "motorcycle" / "again.png")
    found = skipped(folder, tmp_path, images=24)
    assert "“bicycle” as train/bicycle/12.png" in found["train/motorcycle/again.png"]


def test_different_pictures_are_all_taken(folder: Path, tmp_path: Path):
    assert skipped(folder, tmp_path, images=24) == {}


def test_pictures_that_are_all_alike_are_not_taken_for_copies(tmp_path: Path):
    for number in range(24):
        split, label = ("test", "train")[number // 12], ("bicycle", "motorcycle")[number % 2]
        image = drawn(0)
        image.putpixel((number, 3), (255, 0, 0))
        save(image, tmp_path / "own" / split / label / f"{number:02}.png")
    assert skipped(tmp_path / "own", tmp_path, images=24) == {}
