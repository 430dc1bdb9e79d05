"""A home in which images were classified and what the endpoint captured was read."""

import shutil
from pathlib import Path

from scones_core.bootstrap import open_app
from scones_core.services import capture, classification
from scones_core.settings import Settings

IMAGES = 12


def capture_some(home: Path) -> None:
    """Make a home with a model in service such a home."""
    app = open_app(Settings(home=home))
    classification.classify(app, classification.sample_keys(app, IMAGES, seed=0))
    capture.ingest(app)
    app.close()


def copied(home: Path, folder: Path) -> Path:
    """A copy of a home in `folder`."""
    return shutil.copytree(home, folder / "home", symlinks=True)
