"""Copies of a picture are recognised however they were saved again, and different pictures never."""

import io
import random

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from benchmarks.sample import picture
from scones_core.vision.copies import DIMENSIONS, are_alike, find_copies, fingerprint

RESAMPLING = Image.Resampling


def drawn(count: int, seed: str = "") -> list[Image.Image]:
    """Different pictures, as rich in contrast as photographs are."""
    drawings = [picture(("bicycle", "motorcycle")[n % 2], random.Random(f"{seed}{n}")) for n in range(count)]
    return [ImageOps.autocontrast(drawing, cutoff=2) for drawing in drawings]


def prints(pictures: list[Image.Image]) -> np.ndarray:
    return np.stack([fingerprint(one) for one in pictures])


def saved(image: Image.Image, format: str, quality: int) -> Image.Image:
    written = io.BytesIO()
    image.save(written, format, quality=quality)
    return Image.open(written).convert("RGB")


def brighter(image: Image.Image, factor: float) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(factor)


PICTURES = drawn(200)
KNOWN = prints(PICTURES)


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(lambda image: saved(image, "JPEG", 50), id="JPEG 50"),
        pytest.param(lambda image: saved(image, "JPEG", 75), id="JPEG 75"),
        pytest.param(lambda image: saved(image, "JPEG", 95), id="JPEG 95"),
        pytest.param(lambda image: saved(image, "WEBP", 80), id="WebP"),
        pytest.param(lambda image: image.resize((64, 64), RESAMPLING.BICUBIC), id="doubled"),
        pytest.param(lambda image: image.resize((16, 16), RESAMPLING.LANCZOS), id="halved"),
        pytest.param(lambda image: image.resize((24, 24), RESAMPLING.BICUBIC), id="three quarters"),
        pytest.param(lambda image: image.resize((90, 60), RESAMPLING.BILINEAR), id="stretched"),
        pytest.param(lambda image: brighter(image, 1.15), id="brighter"),
        pytest.param(lambda image: brighter(image, 0.7), id="darker"),
        pytest.param(lambda image: brighter(image, 0.4), id="much darker"),
        pytest.param(lambda image: saved(brighter(image.resize((48, 48)), 0.8), "JPEG", 60), id="all at once"),
    ],
)
def test_a_copy_is_found_and_named(copy) -> None:
    found = find_copies(prints([copy(image) for image in PICTURES]), KNOWN)
    assert np.mean(found == np.arange(len(PICTURES))) >= 0.98
    assert set(found) - {-1} <= {index for index, value in enumerate(found) if value == index}, (
        "none is taken for another"
    )


def test_different_pictures_are_no_copies() -> None:
    assert (find_copies(prints(drawn(200, "other")), KNOWN) == -1).all()


def test_a_fingerprint_is_a_vector_of_unit_length() -> None:
    assert KNOWN.shape == (200, DIMENSIONS)
    assert KNOWN.dtype == np.float32
    assert np.allclose(np.linalg.norm(KNOWN, axis=1), 1, atol=1e-5)


def ramp(low: float, high: float, *, down: bool) -> Image.Image:
    line = np.linspace(low, high, 32)
    grey = np.repeat(line[:, None], 32, axis=1)
    grey = grey if down else grey.T
    return Image.fromarray(np.repeat(grey[..., None], 3, axis=2).astype(np.uint8))


@pytest.mark.parametrize(
    "plain",
    [
        Image.new("RGB", (32, 32), "white"),
        Image.new("RGB", (32, 32), "black"),
        Image.new("RGB", (40, 20), "crimson"),
        Image.new("RGB", (1, 1), "green"),
        saved(Image.new("RGB", (32, 32), (120, 60, 200)), "JPEG", 50),
        Image.fromarray(np.random.default_rng(0).integers(126, 130, (64, 64, 3), dtype=np.uint8)),
        ramp(0, 255, down=True),
        ramp(200, 90, down=False),
    ],
    ids=["white", "black", "crimson", "one pixel", "JPEG", "faint noise", "sky", "wall"],
)
def test_what_shows_nothing_matches_nothing_not_even_itself(plain: Image.Image) -> None:
    vector = fingerprint(plain)[None]
    assert not vector.any()
    assert find_copies(vector, np.concatenate([KNOWN, vector])).tolist() == [-1]


def test_the_likest_known_picture_is_named_and_the_first_of_equals() -> None:
    known = np.concatenate([KNOWN[5:6], KNOWN[7:8], KNOWN[5:6]])
    assert find_copies(KNOWN[[7, 5, 6]], known, level=0.5).tolist()[:2] == [1, 0]


def test_blocks_do_not_change_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    known = rng.normal(size=(20_000, 8)).astype(np.float32)
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    candidates = known[rng.permutation(20_000)[:3_000]]
    likeness = candidates @ known.T
    assert (find_copies(candidates, known, level=0.9) == likeness.argmax(axis=1)).all()


def test_a_higher_level_finds_less() -> None:
    halved = prints([image.resize((8, 8)) for image in PICTURES])
    found = [np.count_nonzero(find_copies(halved, KNOWN, level=level) >= 0) for level in (0.5, 0.9, 0.99, 1.0)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]


def test_without_candidates_or_known_pictures_nothing_is_found() -> None:
    none = np.empty((0, DIMENSIONS), dtype=np.float32)
    assert find_copies(none, KNOWN).tolist() == []
    assert find_copies(KNOWN[:3], none).tolist() == [-1, -1, -1]


def from_one_camera(count: int) -> list[Image.Image]:
    """Always the same scene, with a small thing somewhere in it."""
    scene = np.asarray(PICTURES[0]).astype(int)
    rng = np.random.default_rng(1)
    shots = []
    for _ in range(count):
        shot = scene + rng.normal(0, 2, scene.shape)
        row, column = rng.integers(0, 29, 2)
        shot[row : row + 3, column : column + 3] += 25
        shots.append(Image.fromarray(shot.clip(0, 255).astype(np.uint8)))
    return shots


def test_pictures_of_one_camera_are_alike_by_nature_and_a_few_copies_are_not() -> None:
    assert are_alike(prints(from_one_camera(12)))
    assert not are_alike(KNOWN)
    assert not are_alike(np.concatenate([KNOWN[:40], KNOWN[:20]]))
    assert not are_alike(KNOWN[[0, 0, 1]])
