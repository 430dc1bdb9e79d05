"""A home for workflow services."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.asl.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    for service in made.opened:
        service.close()
