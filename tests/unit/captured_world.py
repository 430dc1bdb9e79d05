"""A home in which images were classified and what the endpoint captured was read."""

import shutil
from pathlib import Path

from scones_core.bootstrap import open_app
from scones_core.services import capture, classification
from scones_core.settings import Settings

IMAGES = 12


def captured_home(trained_home: Path, folder: Path) -> Path:
    """Make such a home in `folder`; it is to be copied, never opened."""
    home = folder / "home"
    shutil.copytree(trained_home, home, symlinks=True)
    app = open_app(Settings(home=home))
    classification.classify(app, classification.sample_keys(app, IMAGES, seed=0))
    capture.ingest(app)
    app.close()
    return home
