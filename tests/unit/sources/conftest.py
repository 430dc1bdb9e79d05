"""What is opened as a source."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from scones_core.sources import Source, open_source
from tests.unit.sources.cifar_files import write_archive
from tests.unit.sources.pictures import Files, write


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Source]:
    """Opens a folder of these files."""

    def open_files(files: Files, **options: Any) -> Source:
        return open_source(write(tmp_path / "pictures", files), cache=tmp_path / "cache", **options)

    return open_files


@pytest.fixture
def opened_cifar(tmp_path: Path) -> Callable[..., Source]:
    """Opens an archive of these members."""

    def open_members(members: Mapping[str, bytes], **options: Any) -> Source:
        archive = write_archive(tmp_path / "cifar.tar.gz", members)
        return open_source(str(archive), cache=tmp_path / "cache", **options)

    return open_members
