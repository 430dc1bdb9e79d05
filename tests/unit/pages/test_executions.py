"""Single executions on the page Workflow."""

import io

from PIL import Image

from scones_core.services import App, classification, monitoring
from tests.unit.captured_world import IMAGES
from tests.unit.pages.driving import Open, page_until, pressed, shown, texts


def test_the_workflow_says_to_deploy_a_model_first(trained: App, open_page: Open) -> None:
    trained.backend.endpoints.delete(trained.settings.endpoint)
    assert "No model is deployed yet" in texts(open_page("workflow"))


def test_without_executions_the_workflow_says_how_to_start_some(trained: App, open_page: Open) -> None:
    assert "No executions to show" in texts(open_page("workflow"))


def test_executions_are_started_and_listed_with_what_they_said(trained: App, open_page: Open) -> None:
    page = open_page("workflow")
    page.slider(key="workflow_count").set_value(3)
    page = page_until(pressed(page.run(), "Start 3 executions"), lambda page: "ended:" in texts(page))
    assert "3 executions ended" in texts(page)
    table = page.dataframe[0].value
    assert len(table) == 3
    assert set(table["Prediction"]) <= {"bicycle", "motorcycle"}
    assert all(50 <= value <= 100 for value in table["Confidence"])


def test_a_chosen_execution_shows_each_state_with_input_and_error(captured: App, open_page: Open) -> None:
    monitoring.set_threshold(captured, 0.999999)
    (told,) = classification.classify(captured, classification.sample_keys(captured, 1))
    assert told.status == "FAILED"
    page = open_page("workflow")
    assert told.name in [part.value for part in page.header]
    assert page.selectbox[0].value == "Inference Confidence Filtering"
    assert "does not exceed the threshold" in page.error[0].value
    page.selectbox[0].select("Serialize Image Data").run()
    assert not page.error
    assert told.image in page.json[0].value


def test_an_execution_is_run_again_with_its_input(captured: App, open_page: Open) -> None:
    (one,) = classification.classify(captured, classification.sample_keys(captured, 1))
    page = open_page("workflow")
    pressed(page, "Run again with this input")
    newest, before = classification.executions(captured, limit=2)
    assert before.name == one.name
    assert (newest.machine, newest.input) == (before.machine, before.input)


def test_executions_are_searched_by_name(captured: App, open_page: Open) -> None:
    (one,) = classification.classify(captured, classification.sample_keys(captured, 1))
    page = open_page("workflow")
    page.text_input(key="workflow_name").set_value(one.name[-12:].upper()).run()
    assert page.dataframe[0].value["Execution"].tolist() == [one.name]
    page.text_input(key="workflow_name").set_value("no such name").run()
    assert "No executions to show" in texts(shown(page))


def test_a_status_without_executions_says_so(captured: App, open_page: Open) -> None:
    page = open_page("workflow")
    page.segmented_control(key="workflow_status").select("Running").run()
    assert "choose another status" in texts(shown(page))


def test_images_are_chosen_from_the_gallery(captured: App, open_page: Open) -> None:
    page = open_page("workflow")
    page.segmented_control(key="workflow_source").select("gallery").run()
    assert next(button for button in page.button if button.label == "Start executions").disabled
    page.checkbox[0].check()
    page.checkbox[1].check().run()
    page = page_until(pressed(page, "Start 2 executions"), lambda page: "ended:" in texts(page))
    assert len(page.dataframe[0].value) == IMAGES + 2
    assert not any(box.value for box in page.checkbox)


def test_a_picture_of_ones_own_is_uploaded_and_classified(captured: App, open_page: Open) -> None:
    written = io.BytesIO()
    Image.new("RGB", (300, 200), "green").save(written, "JPEG")
    page = open_page("workflow")
    page.segmented_control(key="workflow_source").select("upload").run()
    page.file_uploader[0].upload("mine.jpg", written.getvalue(), "image/jpeg").run()
    page = page_until(pressed(page, "Start 1 execution"), lambda page: "ended:" in texts(page))
    assert (
        page.dataframe[0].value["Execution"][0].startswith("mine") or "mine" in page.dataframe[0].value["Execution"][0]
    )
