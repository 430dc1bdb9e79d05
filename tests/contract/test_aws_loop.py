"""The whole loop on the AWS backend: what the pages call, against the stand-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scones_core.bootstrap import open_app
from scones_core.domain.comparison import Verdict
from scones_core.domain.models import CHAMPION_VARIANT, TRIAL_VARIANT
from scones_core.services import App, batch, capture, classification, demo, deployment, doctor, monitoring
from scones_core.services.demo import Stage
from tests.conftest import write_images
from tests.contract.conftest import REAL, aws_settings
from tests.contract.stand_in import roles
from tests.contract.stand_in.server import STACK

pytestmark = pytest.mark.skipif(REAL, reason="takes an hour and costs money")


@pytest.fixture
def app(fresh_stand_in: dict[str, str], tmp_path: Path) -> Iterator[App]:
    opened = open_app(aws_settings(tmp_path / "home", endpoint="scones-loop"))
    yield opened
    opened.backend.endpoints.delete("scones-loop")
    opened.close()


def _try_the_other(app: App) -> None:
    """The model that does not serve answers half of the functions' requests, and is captured under its own name."""
    serving = deployment.get_endpoint(app).config.model
    deployment.start_trial(app, "v1" if serving == "v2" else "v2", 0.5)
    classification.classify(app, classification.sample_keys(app, 16))
    classification.classify(app, classification.sample_keys(app, 16))
    capture.ingest(app)
    assert {row.variant for row in monitoring.by_variant(app)} == {CHAMPION_VARIANT, TRIAL_VARIANT}
    assert deployment.end_trial(app).trial is None


def _classify_a_batch(app: App) -> None:
    """In the roles of the state machine and of its functions, into the bucket."""
    found = batch.wait(app, batch.start(app, sample=4))
    assert (found.images, found.errors) == (4, 0)
    assert found.summary_key.startswith(batch.RESULTS)
    assert batch.batches(app)[0].name == found.name


def published() -> dict[str, str]:
    """Model versions and their approval, as the SageMaker Model Registry shows them."""
    found = roles.administrator("sagemaker").list_model_packages(ModelPackageGroupName=STACK)
    packages = found["ModelPackageSummaryList"]
    return {package["ModelPackageDescription"].split(",")[0]: package["ModelApprovalStatus"] for package in packages}


def test_load_train_deploy_classify_monitor_review_retrain_and_promote(app: App, tmp_path: Path):
    source = str(write_images(tmp_path / "images", train=12, test=8))
    told = {one.stage: one.result for one in demo.run(app, source=source, images=6)}
    assert set(told) == set(Stage)
    assert told[Stage.INGEST].new == 6
    assert {item.status for item in told[Stage.CLASSIFY]} <= {"SUCCEEDED", "FAILED"}
    assert all(item.probabilities for item in told[Stage.CLASSIFY])
    assert told[Stage.RETRAIN].new_labels > 0
    expected = "v2" if told[Stage.RETRAIN].comparison.verdict is Verdict.BETTER else "v1"
    assert deployment.champion(app).id == expected
    approvals = {"v1": "Approved", "v2": "Approved" if expected == "v2" else "PendingManualApproval"}
    assert published() == approvals
    _classify_a_batch(app)
    monitoring.set_threshold(app, 0.5)
    assert monitoring.figures(app).inferences == told[Stage.INGEST].new
    _try_the_other(app)
    assert [check for check in doctor.checks(app) if not check.ok and check.name != "AWS stack"] == []
