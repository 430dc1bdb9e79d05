"""Pages on the home `tmp_path/home`: an empty one unless a fixture filled it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scones_core.services import App
from scones_core.ui.shell.session import main_app
from tests.unit.pages.driving import Open, page_of


@pytest.fixture
def page_home(tmp_path: Path, show_home: Callable[[Path], None]) -> Path:
    show_home(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def open_page(page_home: Path) -> Open:
    """Opens a page by its name."""
    return page_of


@pytest.fixture
def open_part(page_home: Path) -> Open:
    """Opens a part of the page Workflow."""
    return lambda part: page_of("workflow", part=part)


@pytest.fixture
def trained(trained_home: Path, page_home: Path) -> App:
    """The app of the pages: trained and deployed, nothing captured yet."""
    shutil.copytree(trained_home, page_home, symlinks=True)
    return main_app()


@pytest.fixture
def captured(captured_folder: Path, page_home: Path) -> App:
    """The app of the pages, with captured inferences, none of them reviewed."""
    shutil.copytree(captured_folder, page_home, symlinks=True)
    return main_app()
