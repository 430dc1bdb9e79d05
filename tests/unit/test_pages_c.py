"""The parts of the page Workflow beyond single images, as a user sees them."""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from scones_core.db import notifications
from scones_core.errors import BadDefinition, BadInput
from scones_core.ports import Execution, ExecutionStatus
from scones_core.services import App, batch, classification, machines, monitoring
from scones_core.ui.shell.session import get_app
from scones_core.ui.workflow.execution_view import ExecutionDetail, exported_text
from tests.waiting import until

APP = Path(__file__).resolve().parents[2] / "streamlit_app.py"
Open = Callable[[str], AppTest]

RETRIED = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "${SerializeImageDataFunctionArn}", "Payload.$": "$"},
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxDelaySeconds": 2, "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Each"}],
            "End": True,
        },
        "Each": {
            "Type": "Map",
            "ItemsPath": "$$.Execution.Input.numbers",
            "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}},
            "End": True,
        },
    },
}
PASS = {"StartAt": "Hand On", "States": {"Hand On": {"Type": "Pass", "End": True}}}


@pytest.fixture
def open_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open a part of the Workflow page on the test's home; an empty one unless a fixture filled it."""
    monkeypatch.setenv("SCONES_HOME", str(tmp_path / "home"))
    st.cache_resource.clear()

    def opener(part: str) -> AppTest:
        page = AppTest.from_file(str(APP), default_timeout=120)
        page.user = {}
        page.run().switch_page("pages/workflow.py")
        page.query_params["part"] = part
        return shown(page.run())

    yield opener
    st.cache_resource.clear()


@pytest.fixture
def trained(trained_home: Path, tmp_path: Path, open_part: Open) -> App:
    shutil.copytree(trained_home, tmp_path / "home", symlinks=True)
    return get_app()


def shown(page: AppTest) -> AppTest:
    assert not page.exception
    return page


def pressed(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label.startswith(label)).click()
    return shown(page.run())


def texts(page: AppTest) -> str:
    told = [*page.markdown, *page.caption, *page.info, *page.success, *page.warning, *page.error, *page.header]
    return "\n".join(str(part.value) for part in told)


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def page_until(page: AppTest, holds: Callable[[AppTest], bool]) -> AppTest:
    """The page once it shows this, run again as its fragments do in a browser."""
    until(lambda: holds(page) or holds(shown(page.run())))
    return page


def ended(app: App, name: str) -> Execution:
    until(lambda: classification.describe(app, name).status is not ExecutionStatus.RUNNING)
    return classification.describe(app, name)


# Batch


@pytest.mark.parametrize("part", ["batch", "traffic"])
def test_sending_images_needs_images_first(part: str, open_part: Open) -> None:
    page = open_part(part)
    assert "No model is deployed yet" in texts(page)
    assert "Load images" in [header.value for header in page.header]


def test_a_batch_of_a_sample_ends_with_a_summary_and_is_listed(trained: App, open_part: Open) -> None:
    page = open_part("batch")
    assert "No batches yet" in texts(page)
    page.segmented_control(key="batch_images").select("sample").run()
    page.number_input(key="batch_sample").set_value(6)
    page = page_until(pressed(page.run(), "Start batch of 6"), lambda page: "Accepted" in metrics(page))
    assert metrics(page)["Images"] == "6"
    assert int(metrics(page)["Accepted"]) + int(metrics(page)["Low confidence"]) == 6
    (row,) = page.dataframe[0].value.to_dict("records")
    assert row["Status"] == ["Succeeded"]
    page.selectbox[0].select("Classify Images").run()
    assert metrics(page)["Items"] == "6"


def test_why_images_of_a_batch_failed_is_shown(trained: App, open_part: Open) -> None:
    trained.backend.objects.put("broken/b.png", b"not an image")
    ended(trained, batch.start(trained, prefix="broken/"))
    (row,) = open_part("batch").dataframe[1].value.to_dict("records")
    assert (row["image"], row["error"]) == ("broken/b.png", "ModelError")


def test_every_image_of_a_batch_is_shown_by_outcome(trained: App, open_part: Open) -> None:
    monitoring.set_threshold(trained, 0.999999)
    ended(trained, batch.start(trained))
    page = open_part("batch")
    [outcome] = [control for control in page.segmented_control if str(control.key).startswith("batch_outcome_")]
    assert outcome.options == ["Low confidence (24)"]
    assert len(page.image) == 24


def test_the_states_inside_the_map_of_a_batch_are_said_to_have_run_per_item(trained: App, open_part: Open) -> None:
    ended(trained, batch.start(trained, sample=2))
    page = open_part("batch")
    page.selectbox[0].select("Image Classification").run()
    assert "once per item" in texts(shown(page))


def test_an_empty_prefix_is_said_to_hold_nothing(trained: App, open_part: Open) -> None:
    page = open_part("batch")
    page.segmented_control(key="batch_images").select("prefix").run()
    page.text_input(key="batch_prefix").set_value("nowhere/")
    assert "No objects under “nowhere/”" in texts(pressed(page.run(), "Start batch"))


def test_a_running_batch_can_be_stopped(trained: App, open_part: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = {"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 60, "End": True}}}
    trained.backend.machines.put(batch.MACHINE, waits)  # hides the real one, so that the batch is sure to run still
    name = batch.start(trained)
    page = pressed(open_part("batch"), "Stop batch")
    assert ended(trained, name).status is ExecutionStatus.ABORTED
    assert "The batch was aborted" in texts(shown(page.run()))


# Traffic


def test_a_burst_is_sent_and_its_outcome_leads_to_the_monitor(trained: App, open_part: Open) -> None:
    page = open_part("traffic")
    page.segmented_control(key="traffic_pace").select("burst").run()
    page.number_input(key="traffic_count").set_value(4)
    page.selectbox(key="traffic_drift").select_index(1)
    page = page_until(pressed(page.run(), "Send traffic"), lambda page: "Sent" in metrics(page))
    assert metrics(page)["Sent"] == "4"
    assert metrics(page)["Rate"].endswith("/s")
    assert any(True for _ in trained.backend.objects.list("traffic/dark/"))


def test_a_steady_stream_can_be_stopped(trained: App, open_part: Open) -> None:
    page = open_part("traffic")
    page.number_input(key="traffic_count").set_value(1000)
    page = pressed(page.run(), "Send traffic")
    page = page_until(pressed(page, "Stop traffic"), lambda page: "Sent" in metrics(page))
    assert int(metrics(page)["Sent"]) < 1000
    assert "stopped early" in texts(page)


# Notifications


def test_without_a_channel_the_page_says_how_to_configure_one(open_part: Open) -> None:
    page = open_part("notifications")
    assert "no channel is configured" in texts(page)
    assert "SCONES_NOTIFY=" in page.code[0].value
    assert "No messages yet" in texts(page)


def test_messages_that_were_sent_are_listed_with_what_failed(open_part: Open) -> None:
    now = datetime.now(UTC)
    told = {"time": now, "up_to": now, "executions": 3, "title": "3 executions failed", "body": "why"}
    with get_app().db.write() as connection:
        notifications.add(connection, {**told, "failure": None})
        notifications.add(connection, {**told, "failure": "The hook did not answer."})
    (first, second) = open_part("notifications").dataframe[0].value.to_dict("records")
    assert (first["Result"], first["Failure"]) == (["Not sent"], "The hook did not answer.")
    assert (second["Result"], second["Executions"], second["Title"]) == (["Sent"], 3, "3 executions failed")


def test_a_channel_is_named_without_its_secrets(open_part: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCONES_NOTIFY", "json://someone:hidden@127.0.0.1:9/hook")
    page = open_part("notifications")
    assert "reported to 1 channel" in texts(page)
    assert "json://127.0.0.1" in texts(page)
    assert "hidden" not in texts(page)
    assert "The message was not sent to json" in pressed(page, "Send a test message").error[0].value


def test_a_wrong_channel_is_an_error_and_no_crash(open_part: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCONES_NOTIFY", "nonsense")
    assert "SCONES_NOTIFY" in open_part("notifications").error[0].value


# State machines


def saved(page: AppTest, name: str, text: str, machine: str = "classify_image") -> AppTest:
    page.text_input(key=f"machine_name_{machine}").set_value(name)
    page.text_area(key=f"machine_text_{machine}").set_value(text)
    return pressed(page.run(), "Check and save")


def test_a_definition_of_ones_own_is_saved_started_and_listed(trained: App, open_part: Open) -> None:
    page = saved(open_part("machines"), "handed_on", json.dumps(PASS))
    assert page.selectbox(key="machine").value == "handed_on"
    page = pressed(page, "Start execution")
    (execution,) = trained.backend.workflows.list("handed_on")
    assert execution.input["s3_key"].startswith("pool/")
    assert execution.name in texts(page_until(page, lambda page: "Succeeded" in texts(page)))
    table = open_part("images").dataframe[0].value
    assert list(table["State machine"]) == ["handed_on"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"StartAt": "A",\n "States": }', "line 2, column 12"),
        ("", "is empty"),
        ("[1]", "must be a JSON object"),
        ('{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}', "leads to 'B'"),
    ],
)
def test_what_is_wrong_with_a_definition_is_said(text: str, says: str, trained: App, open_part: Open) -> None:
    page = saved(open_part("machines"), "mine", text)
    assert says in page.error[0].value
    assert page.text_area(key="machine_text_classify_image").value == text


@pytest.mark.parametrize("name", ["classify_image", "classify_batch", "", "a b", "../x", "x" * 81])
def test_a_name_that_is_taken_by_the_app_or_is_none_is_refused(name: str, app: App) -> None:
    with pytest.raises(BadInput) as refused:
        machines.put(app, name, json.dumps(PASS))
    assert not isinstance(refused.value, BadDefinition)
    assert list(machines.names(app)) == ["classify_batch", "classify_image"]


def test_names_with_two_underscores_are_shown(trained: App, open_part: Open) -> None:
    machines.put(trained, "my__machine", json.dumps(PASS))
    ended(trained, machines.start(trained, "my__machine", "{}").name)
    assert r"my\_\_machine" in texts(open_part("images"))
    page = open_part("machines")
    shown(page.selectbox[0].select("my__machine").run())


def test_input_that_is_not_json_starts_nothing(trained: App, open_part: Open) -> None:
    page = open_part("machines")
    page.segmented_control(key="machine_given_classify_image").select("json").run()
    page.text_area(key="machine_json_classify_image").set_value('{"a": }')
    assert "The input is not JSON" in pressed(page.run(), "Start execution").error[0].value
    assert not trained.backend.workflows.list()


def test_retries_caught_errors_and_iterations_are_shown(trained: App, open_part: Open) -> None:
    machines.put(trained, "retried", json.dumps(RETRIED))
    ended(trained, machines.start(trained, "retried", '{"numbers": [1, 2, 3]}').name)
    page = open_part("images")
    page.selectbox[0].select("Ask").run()
    assert "**Retries** 1" in texts(page)
    assert "Caught" in texts(page)
    assert page.error
    page.selectbox[0].select("One").run()
    assert len(page.selectbox[1].options) == 3


# Import


def history() -> bytes:
    details = {"name": "Look", "input": '{"s3_key": "test/a.png"}'}
    events = [
        {"id": 1, "previousEventId": 0, "type": "ExecutionStarted", "timestamp": 1755835676.275},
        {"id": 2, "type": "TaskStateEntered", "timestamp": 1755835677.0, "stateEnteredEventDetails": details},
        {"id": 3, "previousEventId": 2, "type": "TaskScheduled", "timestamp": 1755835677.5},
        {"id": 4, "previousEventId": 3, "type": "TaskFailed", "timestamp": 1755835678,
         "taskFailedEventDetails": {"error": "Gone", "cause": "It left."}},
        {"id": 5, "previousEventId": 4, "type": "ExecutionFailed", "timestamp": 1755835678,
         "executionFailedEventDetails": {"error": "Gone", "cause": "It left."}},
    ]  # fmt: skip
    return json.dumps({"events": events}).encode()


def imported(page: AppTest, data: bytes) -> AppTest:
    page.file_uploader(key="imported_execution").upload("history.json", data, "application/json")
    return shown(page.run())


def test_an_exported_history_is_shown_with_its_states(open_part: Open) -> None:
    page = open_part("import")
    assert "Choose a file above" in texts(page)
    page = imported(page, history())
    assert page.selectbox[0].value == "Look"
    assert "It left." in page.error[0].value
    assert "22 Aug 2025, 04:07:56 UTC" in texts(page)
    assert "in the order they were entered" in texts(page)


def test_a_downloaded_execution_is_imported_with_its_name_and_graph(trained: App, open_part: Open) -> None:
    (one,) = classification.classify(trained, classification.sample_keys(trained, 1))
    execution = classification.describe(trained, one.name)
    detail = ExecutionDetail(
        execution, classification.definition(trained, execution), classification.history(trained, one.name)
    )
    page = imported(open_part("import"), exported_text(detail).encode())
    assert one.name in [part.value for part in page.header]
    assert "in the order they were entered" not in texts(page)


def test_a_file_that_is_no_execution_is_refused_on_the_page(open_part: Open) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (3, 3)).save(picture, "PNG")
    assert "not readable JSON" in imported(open_part("import"), picture.getvalue()).error[0].value
