"""What an object store does, on every backend."""

from pathlib import Path

import pytest

from scones_core.errors import BadInput, NotFound
from scones_core.local.object_store import LocalObjectStore
from scones_core.ports import ObjectStore


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return LocalObjectStore(tmp_path / "objects")


def test_what_was_put_is_got(objects: ObjectStore):
    objects.put("train/a.png", b"one")
    objects.put("train/a.png", b"two")
    assert objects.get("train/a.png") == b"two"
    assert objects.exists("train/a.png")


def test_a_missing_object_is_not_found(objects: ObjectStore):
    with pytest.raises(NotFound, match="no object “train/x.png”"):
        objects.get("train/x.png")
    assert not objects.exists("train/x.png")
    objects.delete("train/x.png")


def test_objects_are_listed_in_key_order_by_prefix(objects: ObjectStore):
    keys = ["a/b/c", "a/b.d", "a/ba", "ab", "b"]
    objects.put_many((key, b"x") for key in keys)
    assert [info.key for info in objects.list()] == sorted(keys)
    assert [info.key for info in objects.list("a/")] == ["a/b.d", "a/b/c", "a/ba"]
    assert [info.key for info in objects.list("a/b")] == ["a/b.d", "a/b/c", "a/ba"]
    assert [info.key for info in objects.list("a/b/")] == ["a/b/c"]
    assert [info.key for info in objects.list("a/", after="a/b.d")] == ["a/b/c", "a/ba"]
    assert list(objects.list("nothing/")) == []


def test_the_version_changes_with_the_content(objects: ObjectStore):
    objects.put("k", b"1")
    first = next(objects.list("k")).version
    objects.put("k", b"22")
    assert next(objects.list("k")).version != first


def test_a_deleted_object_is_gone(objects: ObjectStore):
    objects.put("k", b"1")
    objects.delete("k")
    assert list(objects.list()) == []


@pytest.mark.parametrize("key", ["", "../x", "a/../../x", "/etc/x", "a//b", "a/.b", "nul\0"])
def test_a_key_cannot_leave_the_folder(tmp_path: Path, key: str):
    with pytest.raises(BadInput, match="cannot be used"):
        LocalObjectStore(tmp_path / "objects").put(key, b"x")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
