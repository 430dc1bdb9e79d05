"""CIFAR-100 archives: what is taken from them, and what they cannot do to us."""

import gzip
import hashlib
import io
import os
import pickle
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scones_core.errors import BadInput
from scones_core.sources import Skipped, Source, SourceImage, open_source
from scones_core.sources.cifar100 import read_cifar100
from scones_core.sources.cifar100_classes import CLASSES
from scones_core.sources.cifar100_members import ArchiveLimits, archive_members
from scones_core.sources.model import Download
from scones_core.sources.unpickling import Limits

BICYCLE, MOTORCYCLE, APPLE = 8, 48, 0


def rows(labels: list[int], seed: int, **changed: Any) -> dict[bytes, Any]:
    """The contents of one CIFAR-100 file with a picture of noise per label."""
    data = np.random.default_rng(seed).integers(0, 256, (len(labels), 3072), dtype=np.uint8)
    names = [b"%s_s_%06d.png" % (CLASSES[label % 100].encode(), row) for row, label in enumerate(labels)]
    content: dict[str, Any] = {"data": data, "fine_labels": labels, "coarse_labels": labels, "filenames": names}
    return {key.encode(): value for key, value in (content | changed).items()}


def write_archive(path: Path, members: Mapping[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in members.items():
            entry = tarfile.TarInfo(f"cifar-100-python/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def cifar_members(protocol: int = 2, **changed: bytes) -> dict[str, bytes]:
    train = rows([BICYCLE, MOTORCYCLE, APPLE, BICYCLE, MOTORCYCLE], seed=1)
    test = rows([MOTORCYCLE, APPLE, BICYCLE], seed=2)
    meta = {b"fine_label_names": [name.encode() for name in CLASSES]}
    named = {"train": train, "test": test, "meta": meta}
    return {name: pickle.dumps(content, protocol=protocol) for name, content in named.items()} | changed


def images(source: Source) -> list[SourceImage]:
    return [item for item in source.items if isinstance(item, SourceImage)]


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Source]:
    def open_members(members: Mapping[str, bytes], **options: Any) -> Source:
        archive = write_archive(tmp_path / "cifar.tar.gz", members)
        return open_source(str(archive), cache=tmp_path / "cache", **options)

    return open_members


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_an_archive_of_any_pickle_protocol_yields_the_bicycles_and_motorcycles_of_both_splits(
    opened: Callable[..., Source], protocol: int
) -> None:
    source = opened(cifar_members(protocol))
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


def test_the_png_shows_the_red_green_and_blue_planes_row_by_row(opened: Callable[..., Source]) -> None:
    first = next(image for image in images(opened(cifar_members())) if image.name == "bicycle_s_000002.png")
    planes = np.asarray(Image.open(io.BytesIO(first.data))).transpose(2, 0, 1)
    expected = rows([MOTORCYCLE, APPLE, BICYCLE], seed=2)[b"data"][2]
    assert first.data.startswith(b"\x89PNG")
    assert np.array_equal(planes.reshape(3072), expected)


def test_classes_keep_the_order_in_which_they_were_asked_for(opened: Callable[..., Source]) -> None:
    assert opened(cifar_members(), classes=["motorcycle", "Apple"]).classes == ("motorcycle", "apple")


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
def test_an_archive_that_names_no_class_is_refused(opened: Callable[..., Source], classes: list[str] | None) -> None:
    meta = pickle.dumps({b"fine_label_names": []}, protocol=2)
    with pytest.raises(
        BadInput, match=r"^“meta” of cifar\.tar\.gz names no class; give the archive as it was published"
    ):
        opened(cifar_members(meta=meta), classes=classes)


def test_a_label_that_is_no_class_is_skipped_by_name(opened: Callable[..., Source]) -> None:
    train = rows([BICYCLE, MOTORCYCLE, 100, -1], seed=1)
    source = opened(cifar_members(train=pickle.dumps(train, protocol=2)))
    skipped = [item for item in source.items if isinstance(item, Skipped)]
    assert skipped == [
        Skipped("apple_s_000002.png", "its label 100 is no class of CIFAR-100"),
        Skipped("worm_s_000003.png", "its label -1 is no class of CIFAR-100"),
    ]


def test_a_picture_of_both_splits_is_kept_in_test_only(opened: Callable[..., Source]) -> None:
    test = rows([MOTORCYCLE, BICYCLE], seed=2)
    train = rows([BICYCLE, MOTORCYCLE, MOTORCYCLE], seed=1)
    train[b"data"][2] = test[b"data"][0]
    members = cifar_members(train=pickle.dumps(train, protocol=2), test=pickle.dumps(test, protocol=2))
    items = list(opened(members).items)
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


def test_file_names_are_made_safe_and_unique(opened: Callable[..., Source]) -> None:
    names = [b"../../etc/x\x00.png", b"../../etc/x\x00.png", b"X_.png", b"", b"a b.jpg"]
    train = rows([BICYCLE, MOTORCYCLE, BICYCLE, MOTORCYCLE, BICYCLE], seed=1, filenames=names)
    source = opened(cifar_members(train=pickle.dumps(train, protocol=2)), pool_share=0)
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


def test_labels_may_be_numpy_numbers(opened: Callable[..., Source]) -> None:
    as_array = rows([BICYCLE, MOTORCYCLE], seed=1, fine_labels=np.array([BICYCLE, MOTORCYCLE]))
    as_scalars = rows([BICYCLE, MOTORCYCLE], seed=2, fine_labels=list(np.array([BICYCLE, MOTORCYCLE], dtype=np.uint8)))
    source = opened(cifar_members(train=pickle.dumps(as_array, protocol=2), test=pickle.dumps(as_scalars, protocol=4)))
    assert [image.label for image in images(source)] == ["bicycle", "motorcycle"] * 2


class Runs:
    """Unpickling it would call something."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call, self.arguments


@pytest.mark.parametrize("member", ["train", "test", "meta"])
def test_a_pickle_that_would_run_a_command_is_refused_and_runs_nothing(
    opened: Callable[..., Source], tmp_path: Path, member: str
) -> None:
    trace = tmp_path / "it ran"
    hostile = pickle.dumps({b"data": Runs(os.system, f"touch '{trace}'")}, protocol=2)
    with pytest.raises(BadInput, match=f"“{member}” of cifar.tar.gz cannot be used: it refers to “posix.system”"):
        opened(cifar_members(**{member: hostile}))
    assert not trace.exists()


@pytest.mark.parametrize("call", [eval, getattr, np.load, np.frombuffer, pickle.loads, __import__])
def test_references_beyond_what_cifar_needs_are_refused(
    opened: Callable[..., Source], call: Callable[..., Any]
) -> None:
    with pytest.raises(BadInput, match="it refers to"):
        opened(cifar_members(train=pickle.dumps(Runs(call, "1"), protocol=2)))


@pytest.mark.parametrize(
    ("hostile", "message"),
    [
        pytest.param(b"\x80\x02]r" + (2**31).to_bytes(4, "little") + b".", "more memory", id="a memo of 2 billion"),
        pytest.param(b"\x80\x04\x8e" + (2**36).to_bytes(8, "little") + b"x", "damaged|memory", id="64 GB announced"),
        pytest.param(b"\x80\x02" + b"]" * 500_000 + b".", "not hold a dictionary|damaged", id="half a million lists"),
        pytest.param(b"\x80\x02}" + b"q\x00" + b"h\x00" * 9 + b"K\x01", "damaged", id="no end"),
        pytest.param(b"hello", "damaged", id="no pickle"),
        pytest.param(b"", "damaged", id="empty"),
        pytest.param(pickle.dumps([1], protocol=2), "does not hold a dictionary", id="a list"),
        pytest.param(pickle.dumps({}, protocol=2), "“data” are not rows of 3,072 bytes", id="empty dictionary"),
    ],
)
def test_a_pickle_that_is_not_cifar_gets_one_clear_sentence(
    opened: Callable[..., Source], hostile: bytes, message: str
) -> None:
    with pytest.raises(BadInput, match=message) as refused:
        opened(cifar_members(train=hostile))
    assert str(refused.value).startswith("“train” of cifar.tar.gz cannot be used: ")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data": np.zeros((2, 3072), dtype=np.float64)}, "not rows of 3,072 bytes"),
        ({"data": np.zeros((2, 1024), dtype=np.uint8)}, "not rows of 3,072 bytes"),
        ({"data": np.zeros((3, 3072), dtype=np.uint8)}, "as many labels and names as images"),
        ({"data": np.asfortranarray(np.arange(6144, dtype=np.uint8).reshape(2, 3072))}, "column by column"),
        ({"fine_labels": None}, "“fine_labels” are missing"),
    ],
)
def test_arrays_of_another_kind_are_refused(
    opened: Callable[..., Source], changed: dict[str, Any], message: str
) -> None:
    content = pickle.dumps(rows([BICYCLE, MOTORCYCLE], seed=1, **changed), protocol=2)
    with pytest.raises(BadInput, match=message):
        opened(cifar_members(train=content))


def test_a_pickle_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    laborious = b"\x80\x02]" + b"q\x000h\x00" * 8_000_000 + b"."
    archive = write_archive(tmp_path / "cifar.tar.gz", cifar_members(train=laborious))
    with pytest.raises(BadInput, match="more time or memory than CIFAR-100 needs"):
        read_cifar100(archive_members(archive), None, lambda *_: None, Limits(wall_seconds=0.1))


def test_an_archive_cut_short_is_called_damaged(tmp_path: Path) -> None:
    whole = write_archive(tmp_path / "whole.tar.gz", cifar_members()).read_bytes()
    for length in (20, len(whole) // 3, len(whole) - 30):
        cut = tmp_path / "cut.tar.gz"
        cut.write_bytes(whole[:length])
        with pytest.raises(BadInput, match=r"^cut\.tar\.gz is damaged, cut short, or no CIFAR-100 archive"):
            open_source(str(cut), cache=tmp_path)


@pytest.mark.parametrize("missing", ["train", "test"])
def test_an_archive_without_a_split_is_no_cifar(opened: Callable[..., Source], missing: str) -> None:
    members = {name: content for name, content in cifar_members().items() if name != missing}
    with pytest.raises(BadInput, match=f"is not a CIFAR-100 archive: it has no file “{missing}”"):
        opened(members)


def test_links_and_paths_that_lead_out_of_the_archive_are_not_followed(tmp_path: Path) -> None:
    archive = tmp_path / "links.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, target in (("../../train", "/etc/passwd"), ("cifar-100-python/test", "/etc/passwd")):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadInput, match="it has no file “train”"):
        open_source(str(archive), cache=tmp_path / "cache")
    assert sorted(tmp_path.rglob("*")) == before


def test_an_archive_that_unpacks_without_end_is_not_read(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "bomb.tar.gz", {"filler": bytes(3 << 20), **cifar_members()})
    large = write_archive(tmp_path / "large.tar.gz", cifar_members(train=bytes(2 << 20)))
    with pytest.raises(BadInput, match=r"bomb\.tar\.gz unpacks to far more than CIFAR-100"):
        read_cifar100(archive_members(archive, ArchiveLimits(total=1 << 20)), None, lambda *_: None)
    with pytest.raises(BadInput, match=r"“train” of large\.tar\.gz is larger"):
        read_cifar100(archive_members(large, ArchiveLimits(member=1 << 20)), None, lambda *_: None)


def test_gzip_of_something_else_is_no_cifar_archive(tmp_path: Path) -> None:
    other = tmp_path / "log.gz"
    other.write_bytes(gzip.compress(b"just a log\n" * 100))
    with pytest.raises(BadInput, match=r"log\.gz is damaged, cut short, or no CIFAR-100 archive"):
        open_source(str(other), cache=tmp_path)


def test_a_class_that_the_archive_has_no_picture_of_is_named(opened: Callable[..., Source]) -> None:
    with pytest.raises(BadInput, match="has no usable train image of the class “bicycle”"):
        list(opened(cifar_members(train=pickle.dumps(rows([MOTORCYCLE], seed=1), protocol=2))).items)


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
