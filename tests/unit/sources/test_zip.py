"""Zip files as sources: the same layouts as folders, and no trust in what they claim."""

import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from scones_core.errors import BadInput
from scones_core.sources import Skipped, SourceImage, open_source
from scones_core.sources.tree import TreeLimits
from scones_core.sources.zip_files import zip_tree
from tests.unit.sources.pictures import picture, taken_and_skipped


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def class_folders(**more: bytes) -> dict[str, bytes]:
    names = [f"{label}/{number}.png" for label in ("scone", "bun") for number in range(4)]
    return {name: picture(number) for number, name in enumerate(names)} | more


def read(path: Path) -> tuple[list[SourceImage], list[Skipped]]:
    return taken_and_skipped(open_source(str(path), cache=path.parent / "cache"))


def test_a_zip_of_class_folders_is_read_without_unpacking(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "bakery.zip", class_folders())
    source = open_source(str(archive), cache=tmp_path / "cache")
    assert (source.description, source.classes, source.total) == ("bakery.zip", ("bun", "scone"), 8)
    assert len(list(source.items)) == 8
    assert [path.name for path in tmp_path.iterdir()] == ["bakery.zip"]


def test_a_zip_with_lst_files_in_a_folder_of_its_own_is_read(tmp_path: Path) -> None:
    files = {
        "my data/train.lst": b"0\t0\ta.png\n1\t1\tb.png\n",
        "my data/test.lst": b"0\t0\tc.png\n1\t1\td.png\n",
        "my data/classes.txt": b"scone\nbun\n",
        **{f"my data/train/{name}.png": picture(number) for number, name in enumerate("ab")},
        **{f"my data/test/{name}.png": picture(number) for number, name in enumerate("cd", start=2)},
        "__MACOSX/my data/train/._a.png": b"x",
        "my data/.DS_Store": b"x",
    }
    taken, skipped = read(write_zip(tmp_path / "data.zip", files))
    assert sorted((image.split, image.name, image.label) for image in taken) == [
        ("test", "c.png", "scone"),
        ("test", "d.png", "bun"),
        ("train", "a.png", "scone"),
        ("train", "b.png", "bun"),
    ]
    assert skipped == []


@pytest.mark.parametrize("name", ["../scone/x.png", "/scone/x.png", "scone/../../x.png", "C:/scone/x.png"])
def test_a_path_that_leads_out_of_the_zip_is_skipped(tmp_path: Path, name: str) -> None:
    taken, skipped = read(write_zip(tmp_path / "z.zip", class_folders(**{name: picture(99)})))
    assert len(taken) == 8
    assert skipped == [Skipped(name, "its path leads out of the zip file")]


def test_a_damaged_member_is_skipped_and_the_rest_is_taken(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "z.zip", class_folders())
    with zipfile.ZipFile(archive) as opened:
        start = opened.getinfo("scone/2.png").header_offset + 60
    content = bytearray(archive.read_bytes())
    content[start : start + 20] = bytes(20)
    archive.write_bytes(content)
    taken, skipped = read(archive)
    assert len(taken) == 7
    assert skipped == [Skipped("scone/2.png", "it is damaged in the zip file")]


def test_a_member_under_a_password_is_skipped(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "z.zip", class_folders())
    content = bytearray(archive.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 8] |= 1
    archive.write_bytes(content)
    _taken, skipped = read(archive)
    assert skipped == [Skipped("scone/0.png", "it is protected by a password")]


def test_a_zip_cut_short_is_called_damaged(tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "z.zip", class_folders()).read_bytes()
    (tmp_path / "z.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match=r"^z\.zip is a damaged zip file"):
        open_source(str(tmp_path / "z.zip"), cache=tmp_path)


def test_a_zip_that_unpacks_to_far_more_than_it_is_gets_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "bomb.zip", {f"scone/{n}.png": bytes(1 << 20) for n in range(5)})
    with (
        pytest.raises(BadInput, match=r"bomb\.zip unpacks to more than 0 GB; it was not read"),
        zip_tree(archive, TreeLimits(zip_bytes=4 << 20)),
    ):
        pass


def test_a_zip_of_too_many_files_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "many.zip", {f"scone/{n}.png": b"" for n in range(20)})
    for limits in (TreeLimits(files=10), TreeLimits(listing_bytes=1000)):
        with pytest.raises(BadInput, match=r"many\.zip .*too many files|more than 10 files"), zip_tree(archive, limits):
            pass


def test_a_member_larger_than_a_picture_may_be_is_skipped(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "z.zip", {"scone/large.png": bytes(3 << 20)})
    with zip_tree(archive, TreeLimits(file_bytes=1 << 20)) as tree, pytest.raises(BadInput, match="larger than 1 MB"):
        tree.files["scone/large.png"]()


def test_a_member_that_is_longer_than_it_claims_is_not_believed(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "z.zip", class_folders())
    content = bytearray(archive.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 10)
    archive.write_bytes(content)
    taken, skipped = read(archive)
    assert len(taken) == 7
    assert [skip.name for skip in skipped] == ["scone/0.png"]


def test_a_zip_is_recognised_by_its_content(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "upload.bin", class_folders())
    assert len(read(archive)[0]) == 8


def test_a_source_that_is_never_read_leaves_no_file_open(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "z.zip", class_folders())
    source = open_source(str(archive), cache=tmp_path)
    next(iter(source.items))
    del source  # an open file would end as a ResourceWarning, and so fail this test


def write_raw_zip(path: Path, files: Mapping[bytes, bytes], *, flags: int = 0, method: int = 0) -> Path:
    """A zip whose members are stored under these bytes as names, and claim these flags and this method."""
    members, index = b"", b""
    for name, content in files.items():
        size = len(content)
        about = struct.pack("<HHHHHIIIHH", 20, flags, method, 0, 0x21, zlib.crc32(content), size, size, len(name), 0)
        index += struct.pack("<IH", 0x02014B50, 20) + about + struct.pack("<HHHII", 0, 0, 0, 0, len(members)) + name
        members += struct.pack("<I", 0x04034B50) + about + name + content
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(files), len(files), len(index), len(members), 0)
    path.write_bytes(members + index + end)
    return path


def raw_class_folders() -> dict[bytes, bytes]:
    return {name.encode(): content for name, content in class_folders().items()}


@pytest.mark.parametrize(("name", "told"), [(b"", "(no name)"), (b"\0.png", "(no name)"), (b".", "."), (b"./.", "./.")])
def test_a_member_without_a_name_is_skipped(tmp_path: Path, name: bytes, told: str) -> None:
    taken, skipped = read(write_raw_zip(tmp_path / "z.zip", raw_class_folders() | {name: picture(99)}))
    assert len(taken) == 8
    assert skipped == [Skipped(told, "it has no name in the zip file")]


@pytest.mark.parametrize("separator", [b"//", b"/./", b"/.//./"])
def test_paths_are_read_as_they_are_meant(tmp_path: Path, separator: bytes) -> None:
    files = {b"./" + name.replace(b"/", separator): content for name, content in raw_class_folders().items()}
    source = open_source(str(write_raw_zip(tmp_path / "z.zip", files)), cache=tmp_path)
    assert (source.classes, source.total) == (("bun", "scone"), 8)


@pytest.mark.parametrize("top", [b"/", b"C:\\", b"../"])
def test_a_zip_of_which_every_path_leads_out_says_so(tmp_path: Path, top: bytes) -> None:
    files = {top + name: content for name, content in raw_class_folders().items()}
    with pytest.raises(BadInput, match=r"^z\.zip has no file that can be used .*: its path leads out of the zip file"):
        read(write_raw_zip(tmp_path / "z.zip", files))


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"flags": 1}, "is protected by a password; pack it again without one"),
        ({"flags": 1, "method": 99}, "is protected by a password; pack it again without one"),
        ({"method": 9}, "is packed in a way that is not read here; pack it again the usual way"),
    ],
)
def test_a_zip_of_which_no_picture_can_be_unpacked_says_why(
    tmp_path: Path, claims: dict[str, int], reason: str
) -> None:
    archive = write_raw_zip(tmp_path / "z.zip", raw_class_folders(), **claims)
    with pytest.raises(BadInput, match=rf"^z\.zip {reason}"):
        read(archive)


def test_pictures_that_cannot_be_read_are_not_called_pictures_of_another_kind(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "z.zip", {f"{name}/large.png": bytes(21 << 20) for name in ("bun", "scone")})
    with pytest.raises(BadInput, match=r"^z\.zip has no usable image \(“bun/large.png”: it is larger than 20 MB\)"):
        read(archive)
