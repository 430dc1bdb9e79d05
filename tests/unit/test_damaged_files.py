"""A truncated file of the home, or a folder that cannot be written, is told by name and stops nothing else."""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from scones_core.domain.typed import typed
from scones_core.errors import Damaged
from scones_core.local.endpoint import ENDPOINT
from scones_core.local.training import JOB, REQUEST
from scones_core.local.workflow.environment import VARIABLES
from scones_core.ports import JobStatus
from scones_core.services import App, capture, classification, deployment, doctor, monitoring, overview, training
from scones_core.ui.shell.navigation import PageName
from tests.unit.pages.driving import page_of


def truncate(file: Path, share: float) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_truncated_endpoint_file_is_named_and_a_deployment_writes_it_anew(serving: App, share: float):
    truncate(serving.settings.home / "endpoints" / "scones-unlimited.json", share)
    assert overview.status(serving).champion is None
    monitoring.figures(serving)
    [trouble] = serving.backend.troubles()
    assert "endpoints/scones-unlimited.json" in trouble
    assert {check.name for check in doctor.checks(serving) if not check.ok} <= {"endpoint"}
    with pytest.raises(Damaged, match="Deploy a model"):
        classification.classify(serving, classification.sample_keys(serving, 1))
    assert deployment.deploy(serving).status == "InService"
    assert not serving.backend.troubles()


@pytest.mark.parametrize("page", PageName)
def test_every_page_opens_with_a_truncated_endpoint_file(
    serving: App, show_home: Callable[[Path], None], page: PageName
):
    truncate(serving.settings.home / "endpoints" / "scones-unlimited.json", 0.5)
    show_home(serving.settings.home)
    found = page_of(page)
    assert not found.error
    assert found.title
    assert "endpoints/scones-unlimited.json" in found.warning[0].value


def test_checks_are_those_of_the_last_minute_until_they_are_run_again(serving: App, show_home: Callable[[Path], None]):
    show_home(serving.settings.home)
    page = page_of(PageName.SETTINGS)
    assert any(caption.value.startswith("Checked ") for caption in page.caption)
    assert any("checks passed" in said.value for said in page.success)
    truncate(serving.settings.home / "endpoints" / "scones-unlimited.json", 0.5)
    page.run()
    assert any("checks passed" in said.value for said in page.success)
    page.button(key="check_again").click().run()
    assert any("checks failed" in said.value for said in page.warning)


def test_a_truncated_job_file_is_a_failed_job_and_the_others_go_on(serving: App):
    [job] = training.jobs(serving)
    truncate(serving.settings.home / "training" / job.name / "job.json", 0.5)
    [found] = training.jobs(serving)
    assert found.status is JobStatus.FAILED
    assert f"training/{job.name}/job.json" in str(found.failure_reason)
    assert overview.status(serving).champion == "v1"


def test_truncated_variables_of_the_functions_fail_executions_by_name_until_they_are_set(serving: App):
    monitoring.set_threshold(serving, 0.5)
    file = serving.settings.home / "workflows" / "workflow_environment.json"
    file = file if file.is_file() else next(serving.settings.home.rglob("workflow_environment.json"))
    truncate(file, 0.5)
    key = classification.sample_keys(serving, 1)
    assert classification.classify(serving, key)[0].status == "FAILED"
    monitoring.set_threshold(serving, 0.5)
    deployment.deploy(serving)
    assert classification.classify(serving, key)[0].status == "SUCCEEDED"


def test_inferences_go_on_where_nothing_can_be_captured(serving: App):
    folder = serving.settings.home / "objects" / "captures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("in the way", encoding="utf-8")
    monitoring.set_threshold(serving, 0)
    keys = classification.sample_keys(serving, 2)
    assert {found.status for found in classification.classify(serving, keys)} == {"SUCCEEDED"}
    assert "capture is failing" in serving.backend.troubles()[0]
    assert "captures" in {check.name for check in doctor.checks(serving) if not check.ok}
    capture.ingest(serving)
    folder.unlink()
    classification.classify(serving, keys)
    assert not serving.backend.troubles()
    assert capture.ingest(serving).new == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.sampled_from(["name", "status", "config"]) | st.text(), below),
)


@pytest.mark.parametrize("adapter", [ENDPOINT, JOB, REQUEST, VARIABLES])
@given(data=st.binary() | JSON.map(json.dumps).map(str.encode))
@settings(max_examples=60)
def test_any_bytes_are_read_or_refused_by_the_files_name(adapter: TypeAdapter[object], data: bytes):
    with suppress(Damaged):
        typed(adapter, data, "endpoints/a.json", "Deploy again.")
