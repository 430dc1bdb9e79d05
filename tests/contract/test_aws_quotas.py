"""A new account, whose quotas are 0, on the stand-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scones_core.bootstrap import open_app
from scones_core.domain.models import JobState
from scones_core.services import App, etl, registration, training
from tests.conftest import write_images
from tests.contract.conftest import REAL, aws_settings
from tests.contract.stand_in import others

pytestmark = pytest.mark.skipif(REAL, reason="changes the quotas of the stand-in")


@pytest.fixture
def app(aws_stand_in: dict[str, str], tmp_path: Path) -> Iterator[App]:
    opened = open_app(aws_settings(tmp_path / "home", endpoint="scones-quotas"))
    yield opened
    opened.close()


def test_a_model_that_cannot_be_evaluated_for_want_of_a_quota_waits_for_it(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    quota = "ml.m5.large for transform job usage"
    monkeypatch.setitem(others.QUOTAS, quota, 0.0)
    etl.load(app, str(write_images(tmp_path / "images", train=8, test=4)))
    job = training.start(app)
    registration.wait(app, job.name)
    record = training.records(app)[job.name]
    assert record.state is JobState.FAILED
    assert quota in record.failure
    assert training.models(app) == []
    assert [known.name for known in training.jobs(app) if known.name == job.name] == [job.name]
    monkeypatch.setitem(others.QUOTAS, quota, 2.0)
    registration.try_again(app, job.name)
    registration.wait(app, job.name)
    assert [model.id for model in training.models(app)] == ["v1"]
