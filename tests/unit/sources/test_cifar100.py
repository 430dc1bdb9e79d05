"""CIFAR-100 archives: what is taken from them."""

import hashlib
import io
import pickle
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scones_core.errors import BadInput
from scones_core.sources import Skipped, Source, SourceImage, open_source
from scones_core.sources.cifar100_classes import CLASSES
from scones_core.sources.model import Download
from tests.unit.sources.cifar_files import APPLE, BICYCLE, MOTORCYCLE, cifar_members, rows, write_archive
from tests.unit.sources.pictures import images


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_an_archive_of_any_pickle_protocol_yields_the_bicycles_and_motorcycles_of_both_splits(
    opened_cifar: Callable[..., Source], protocol: int
) -> None:
    source = opened_cifar(cifar_members(protocol))
    found = sorted((image.split, image.label, image.name) for image in images(source))
    assert source.classes == ("bicycle", "motorcycle")
    assert source.total == 6
    assert not source.generated
    assert found == [
        ("test", "bicycle", "bicycle_s_000002.png"),
        ("test", "motorcycle", "motorcycle_s_000000.png"),
        ("train", "bicycle", "bicycle_s_000000.png"),
        ("train", "bicycle", "bicycle_s_000003.png"),
        ("train", "motorcycle", "motorcycle_s_000001.png"),
        ("train", "motorcycle", "motorcycle_s_000004.png"),
    ]


def test_the_png_shows_the_red_green_and_blue_planes_row_by_row(opened_cifar: Callable[..., Source]) -> None:
    first = next(image for image in images(opened_cifar(cifar_members())) if image.name == "bicycle_s_000002.png")
    planes = np.asarray(Image.open(io.BytesIO(first.data))).transpose(2, 0, 1)
    expected = rows([MOTORCYCLE, APPLE, BICYCLE], seed=2)[b"data"][2]
    assert first.data.startswith(b"\x89PNG")
    assert np.array_equal(planes.reshape(3072), expected)


def test_classes_keep_the_order_in_which_they_were_asked_for(opened_cifar: Callable[..., Source]) -> None:
    assert opened_cifar(cifar_members(), classes=["motorcycle", "Apple"]).classes == ("motorcycle", "apple")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["bycicle", "motorcycle"], "CIFAR-100 has no class “bycicle”; did you mean “bicycle”"),
        (["bicycle"], "at least 2 classes"),
        (["bicycle", "bicycle"], "“bicycle” is given twice"),
        (CLASSES[:21], "21 classes are too many; choose 2 to 20"),
        (["qqqqq", "bicycle"], "it has “apple”, .* and 92 more"),
    ],
)
def test_classes_that_cannot_be_chosen_are_refused_before_anything_is_downloaded(
    tmp_path: Path, classes: list[str], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        open_source("cifar100", classes=classes, cache=tmp_path, download=Download("http://127.0.0.1:9/x.tar.gz", ""))


@pytest.mark.parametrize("classes", [None, ["apple", "bicycle"]])
def test_an_archive_that_names_no_class_is_refused(
    opened_cifar: Callable[..., Source], classes: list[str] | None
) -> None:
    meta = pickle.dumps({b"fine_label_names": []}, protocol=2)
    with pytest.raises(
        BadInput, match=r"^“meta” of cifar\.tar\.gz names no class; give the archive as it was published"
    ):
        opened_cifar(cifar_members(meta=meta), classes=classes)


def test_a_label_that_is_no_class_is_skipped_by_name(opened_cifar: Callable[..., Source]) -> None:
    train = rows([BICYCLE, MOTORCYCLE, 100, -1], seed=1)
    source = opened_cifar(cifar_members(train=pickle.dumps(train, protocol=2)))
    skipped = [item for item in source.items if isinstance(item, Skipped)]
    assert skipped == [
        Skipped("apple_s_000002.png", "its label 100 is no class of CIFAR-100"),
        Skipped("worm_s_000003.png", "its label -1 is no class of CIFAR-100"),
    ]


def test_a_picture_of_both_splits_is_kept_in_test_only(opened_cifar: Callable[..., Source]) -> None:
    test = rows([MOTORCYCLE, BICYCLE], seed=2)
    train = rows([BICYCLE, MOTORCYCLE, MOTORCYCLE], seed=1)
    train[b"data"][2] = test[b"data"][0]
    members = cifar_members(train=pickle.dumps(train, protocol=2), test=pickle.dumps(test, protocol=2))
    items = list(opened_cifar(members).items)
    assert [item.name for item in items if isinstance(item, SourceImage) and item.split == "train"] == [
        "bicycle_s_000000.png",
        "motorcycle_s_000001.png",
    ]
    assert [item for item in items if isinstance(item, Skipped)] == [
        Skipped(
            "motorcycle_s_000002.png",
            "the same picture is in the test split (motorcycle_s_000000.png) and is kept there",
        )
    ]


def test_file_names_are_made_safe_and_unique(opened_cifar: Callable[..., Source]) -> None:
    names = [b"../../etc/x\x00.png", b"../../etc/x\x00.png", b"X_.png", b"", b"a b.jpg"]
    train = rows([BICYCLE, MOTORCYCLE, BICYCLE, MOTORCYCLE, BICYCLE], seed=1, filenames=names)
    source = opened_cifar(cifar_members(train=pickle.dumps(train, protocol=2)), pool_share=0)
    given = [image.name for image in images(source) if image.split == "train"]
    assert given == ["x.png", "x-2.png", "X-3.png", "image.png", "a_b.png"]


def test_an_uncompressed_archive_and_the_unpacked_folder_are_read_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "unpacked" / "cifar-100-python"
    folder.mkdir(parents=True)
    for name, content in cifar_members().items():
        (folder / name).write_bytes(content)
    plain = write_archive(tmp_path / "cifar.tar", cifar_members(), "w")
    found = [images(open_source(str(path), cache=tmp_path / "cache")) for path in (plain, folder.parent, folder)]
    assert len(found[0]) == 6
    assert found[0] == found[1] == found[2]


def test_labels_may_be_numpy_numbers(opened_cifar: Callable[..., Source]) -> None:
    as_array = rows([BICYCLE, MOTORCYCLE], seed=1, fine_labels=np.array([BICYCLE, MOTORCYCLE]))
    as_scalars = rows([BICYCLE, MOTORCYCLE], seed=2, fine_labels=list(np.array([BICYCLE, MOTORCYCLE], dtype=np.uint8)))
    source = opened_cifar(
        cifar_members(train=pickle.dumps(as_array, protocol=2), test=pickle.dumps(as_scalars, protocol=4))
    )
    assert [image.label for image in images(source)] == ["bicycle", "motorcycle"] * 2


def test_a_class_that_the_archive_has_no_picture_of_is_named(opened_cifar: Callable[..., Source]) -> None:
    with pytest.raises(BadInput, match="has no usable train image of the class “bicycle”"):
        list(opened_cifar(cifar_members(train=pickle.dumps(rows([MOTORCYCLE], seed=1), protocol=2))).items)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Download]:
    archive = write_archive(tmp_path / "cifar-100-python.tar.gz", cifar_members())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Download(
        f"http://127.0.0.1:{server.server_port}/{archive.name}",
        hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest(),
    )
    server.shutdown()
    thread.join()
    server.server_close()


def test_cifar100_is_downloaded_once_and_read_from_the_cache_afterwards(served: Download, tmp_path: Path) -> None:
    progress: list[str] = []
    first = open_source(
        "cifar100", cache=tmp_path / "cache", download=served, on_progress=lambda *step: progress.append(step[2])
    )
    assert len(images(first)) == 6
    assert list(dict.fromkeys(progress)) == [
        "Downloading CIFAR-100",
        "Reading CIFAR-100",
        "Dividing the images",
        "Reading images",
    ]
    progress.clear()
    again = open_source(
        "cifar100", cache=tmp_path / "cache", download=served, on_progress=lambda *step: progress.append(step[2])
    )
    assert len(images(again)) == 6
    assert "Downloading CIFAR-100" not in progress
