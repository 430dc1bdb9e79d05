"""Executions of elsewhere on the page Workflow."""

import io
import json

from PIL import Image
from streamlit.testing.v1 import AppTest

from scones_core.services import App, classification
from scones_core.ui.workflow.execution_view import ExecutionDetail, exported_text
from tests.unit.pages.driving import Open, shown, texts


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
