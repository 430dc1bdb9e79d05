"""Loading images: what fails leaves nothing behind."""

import os
from pathlib import Path

import pytest

from scones_core.db import datasets as table
from scones_core.errors import Unavailable
from scones_core.services import App, etl
from tests.conftest import write_images


def stored(app: App) -> list[str]:
    return sorted(info.key for info in app.backend.objects.list())


def test_a_path_that_is_no_text_can_be_loaded(app: App, images: Path, tmp_path: Path):
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/dir\xff")
    images.rename(odd)
    assert etl.load(app, odd).source == "dir�"


@pytest.mark.parametrize("error", [RuntimeError("a defect"), KeyboardInterrupt(), Unavailable("The disk is full.")])
def test_images_are_taken_back_whatever_ends_the_load(
    app: App, images: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
):
    before = stored(app)
    check = etl._check

    def failing(*arguments: object) -> None:
        check(*arguments)  # type: ignore[arg-type]
        raise error

    monkeypatch.setattr(etl, "_check", failing)
    with pytest.raises(type(error)):
        etl.load(app, str(images))
    assert stored(app) == before


def test_a_version_that_cannot_be_recorded_leaves_no_lists(app: App, images: Path, monkeypatch: pytest.MonkeyPatch):
    def failing(*_arguments: object) -> None:
        raise UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed")

    before = stored(app)
    monkeypatch.setattr(table, "add", failing)
    with pytest.raises(UnicodeEncodeError):
        etl.load(app, str(images))
    assert stored(app) == before


def test_a_failed_load_leaves_what_other_versions_hold(
    app: App, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    version = etl.load(app, str(images))
    before = {key: app.backend.objects.get(key) for key in stored(app)}
    more = write_images(tmp_path / "more", train=20)

    def failing(*_arguments: object) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr(table, "add", failing)
        for folder in (images, more):
            with pytest.raises(RuntimeError):
                etl.load(app, str(folder))
    assert {key: app.backend.objects.get(key) for key in stored(app)} == before
    assert etl.current(app) == version


def test_the_lists_are_those_of_the_version_loaded_last(app: App, images: Path, tmp_path: Path):
    etl.load(app, str(images))
    version = etl.load(app, str(write_images(tmp_path / "more", train=20)))
    for split in ("train", "test", "pool"):
        assert app.backend.objects.get(f"{split}.lst") == app.backend.objects.get(f"datasets/{version.id}/{split}.lst")
