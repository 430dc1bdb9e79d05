"""CIFAR-100 archives that are damaged or hostile."""

import gzip
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scones_core.errors import BadInput
from scones_core.sources import Source, open_source
from scones_core.sources.cifar100 import read_cifar100
from scones_core.sources.cifar100_members import ArchiveLimits, archive_members
from scones_core.sources.unpickling import Limits
from tests.unit.sources.cifar_files import BICYCLE, MOTORCYCLE, cifar_members, rows, write_archive


class Runs:
    """Unpickling it would call something."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call, self.arguments


@pytest.mark.parametrize("member", ["train", "test", "meta"])
def test_a_pickle_that_would_run_a_command_is_refused_and_runs_nothing(
    opened_cifar: Callable[..., Source], tmp_path: Path, member: str
) -> None:
    trace = tmp_path / "it ran"
    hostile = pickle.dumps({b"data": Runs(os.system, f"touch '{trace}'")}, protocol=2)
    with pytest.raises(BadInput, match=f"“{member}” of cifar.tar.gz cannot be used: it refers to “posix.system”"):
        opened_cifar(cifar_members(**{member: hostile}))
    assert not trace.exists()


@pytest.mark.parametrize("call", [eval, getattr, np.load, np.frombuffer, pickle.loads, __import__])
def test_references_beyond_what_cifar_needs_are_refused(
    opened_cifar: Callable[..., Source], call: Callable[..., Any]
) -> None:
    with pytest.raises(BadInput, match="it refers to"):
        opened_cifar(cifar_members(train=pickle.dumps(Runs(call, "1"), protocol=2)))


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
    opened_cifar: Callable[..., Source], hostile: bytes, message: str
) -> None:
    with pytest.raises(BadInput, match=message) as refused:
        opened_cifar(cifar_members(train=hostile))
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
    opened_cifar: Callable[..., Source], changed: dict[str, Any], message: str
) -> None:
    content = pickle.dumps(rows([BICYCLE, MOTORCYCLE], seed=1, **changed), protocol=2)
    with pytest.raises(BadInput, match=message):
        opened_cifar(cifar_members(train=content))


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
def test_an_archive_without_a_split_is_no_cifar(opened_cifar: Callable[..., Source], missing: str) -> None:
    members = {name: content for name, content in cifar_members().items() if name != missing}
    with pytest.raises(BadInput, match=f"is not a CIFAR-100 archive: it has no file “{missing}”"):
        opened_cifar(members)


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
