"""What an object store does, on every backend."""

from collections.abc import Iterator

import pytest

from scones_core.errors import BadInput, NotFound
from scones_core.ports import Backend, ObjectStore


@pytest.fixture
def objects(backend: Backend) -> ObjectStore:
    return backend.objects


def keys(objects: ObjectStore, prefix: str, after: str = "") -> list[str]:
    return [info.key.removeprefix(prefix) for info in objects.list(prefix, after=after)]


def test_what_was_put_is_got(objects: ObjectStore, prefix: str):
    objects.put(f"{prefix}a.png", b"one")
    objects.put(f"{prefix}a.png", b"two")
    assert objects.get(f"{prefix}a.png") == b"two"
    assert objects.exists(f"{prefix}a.png")


def test_an_object_may_be_empty_or_large(objects: ObjectStore, prefix: str):
    large = bytes(range(256)) * 12_000  # 3 MB
    objects.put_many([(f"{prefix}empty", b""), (f"{prefix}large", large)])
    assert objects.get(f"{prefix}empty") == b""
    assert objects.get(f"{prefix}large") == large


def test_a_missing_object_is_not_found(objects: ObjectStore, prefix: str):
    with pytest.raises(NotFound, match=f"No object “{prefix}x.png”"):
        objects.get(f"{prefix}x.png")
    assert not objects.exists(f"{prefix}x.png")
    objects.delete(f"{prefix}x.png")


def test_objects_are_listed_in_key_order_by_prefix(objects: ObjectStore, prefix: str):
    names = ["a/b/c", "a/b.d", "a/ba", "ab", "b", "ü"]
    objects.put_many((prefix + name, b"x") for name in names)
    assert keys(objects, prefix) == sorted(names)
    assert keys(objects, f"{prefix}a/") == ["b.d", "b/c", "ba"]
    assert keys(objects, f"{prefix}a/b") == [".d", "/c", "a"]
    assert keys(objects, f"{prefix}a/b/") == ["c"]
    assert keys(objects, f"{prefix}a/", after=f"{prefix}a/b.d") == ["b/c", "ba"]
    assert keys(objects, f"{prefix}nothing/") == []


def test_a_level_shows_its_folders_and_its_objects(objects: ObjectStore, prefix: str):
    objects.put_many((prefix + name, b"x") for name in ["b", "a/b/c", "a/ba", "c/d"])
    folders, infos = objects.listdir(prefix)
    assert list(folders) == [f"{prefix}a/", f"{prefix}c/"]
    assert [info.key for info in infos] == [f"{prefix}b"]
    folders, infos = objects.listdir(f"{prefix}a/")
    assert list(folders) == [f"{prefix}a/b/"]
    assert [(info.key, info.size) for info in infos] == [(f"{prefix}a/ba", 1)]
    assert objects.listdir(f"{prefix}nothing/") == ([], [])


def test_a_part_of_an_object_is_got(objects: ObjectStore, prefix: str):
    objects.put(f"{prefix}a", b"0123456789")
    assert objects.get_range(f"{prefix}a", 2, 5) == b"234"
    assert objects.get_range(f"{prefix}a", 8, 20) == b"89"
    assert objects.get_range(f"{prefix}a", 10, 20) == b""
    with pytest.raises(NotFound, match=f"No object “{prefix}b”"):
        objects.get_range(f"{prefix}b", 0, 1)


def test_many_objects_are_all_there(objects: ObjectStore, prefix: str):
    objects.put_many((f"{prefix}{number:04}", str(number).encode()) for number in range(200))
    assert keys(objects, prefix) == [f"{number:04}" for number in range(200)]
    assert objects.get(f"{prefix}0117") == b"117"


def test_what_goes_wrong_while_uploading_is_told(objects: ObjectStore, prefix: str):
    def items() -> Iterator[tuple[str, bytes]]:
        yield f"{prefix}first", b"1"
        raise BadInput("the second image is broken")

    with pytest.raises(BadInput, match="second image is broken"):
        objects.put_many(items())


def test_a_listing_tells_size_and_time(objects: ObjectStore, prefix: str):
    objects.put(f"{prefix}k", b"12345")
    [info] = objects.list(prefix)
    assert info.size == 5
    assert info.modified.utcoffset().total_seconds() == 0


def test_the_version_changes_with_the_content(objects: ObjectStore, prefix: str):
    objects.put(f"{prefix}k", b"1")
    [first] = objects.list(prefix)
    objects.put(f"{prefix}k", b"22")
    [second] = objects.list(prefix)
    assert first.version != second.version


def test_a_deleted_object_is_gone(objects: ObjectStore, prefix: str):
    objects.put(f"{prefix}k", b"1")
    objects.delete(f"{prefix}k")
    assert keys(objects, prefix) == []


@pytest.mark.parametrize("key", ["", "../x", "a/../../x", "/etc/x", "a//b", "a/.b", "nul\0"])
def test_a_key_that_a_folder_could_not_hold_is_refused(objects: ObjectStore, key: str):
    with pytest.raises(BadInput, match="cannot be used"):
        objects.put(key, b"x")
