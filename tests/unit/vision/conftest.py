"""A model that is trained once."""

import pytest

from scones_core.vision.classifier import Classifier
from scones_core.vision.fitting import fit
from tests.unit.vision.stripes import SMALL, task


@pytest.fixture(scope="session")
def model() -> Classifier:
    return fit(*task(20), ["upright", "level"], options=SMALL)


@pytest.fixture(scope="session")
def artifact(model: Classifier) -> bytes:
    return model.save()
