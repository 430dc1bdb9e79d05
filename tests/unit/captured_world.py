"""A home in which images were classified and what the endpoint captured was read."""

import shutil
from pathlib import Path

from scones_core.services import App, capture, classification

IMAGES = 12


def capture_some(app: App) -> None:
    """Classify images with the model in service, and read what was captured."""
    classification.classify(app, classification.sample_keys(app, IMAGES, seed=0))
    capture.ingest(app)


def copied(home: Path, folder: Path) -> Path:
    """A copy of a home in `folder`."""
    return shutil.copytree(home, folder / "home", symlinks=True)
