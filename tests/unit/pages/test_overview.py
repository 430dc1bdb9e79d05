"""The page Overview, and how an empty home is filled from any page."""

import pytest

from scones_core.services import App, capture, etl, overview, training
from scones_core.ui.overview.loop_strip import loop_stages
from scones_core.ui.shell.session import main_app
from tests.unit.pages.driving import Open, metrics, pressed, settled


@pytest.mark.parametrize("name", ["train", "workflow", "models"])
def test_an_empty_page_loads_the_images_it_needs_itself(open_page: Open, name: str):
    page = pressed(open_page(name), "Load images")
    settled(page, lambda: etl.current(main_app()) is not None)
    assert "Load images" not in [heading.value for heading in page.header]
    assert ("Train a model" in [heading.value for heading in page.header]) == (name != "train")


def test_the_monitor_is_filled_step_by_step_without_leaving_it(open_page: Open):
    etl.load(main_app(), "sample")
    page = pressed(open_page("monitor"), "Start training")
    settled(page, lambda: training.models(main_app()))
    pressed(page, "Deploy")
    page.run()
    pressed(page, "Classify 20 images")
    settled(page, lambda: capture.captured(main_app()) == 20)
    assert metrics(page)["Captured inferences"] == "20"


def test_an_empty_home_offers_the_demo_images_and_captures(open_page: Open):
    page = open_page("overview")
    assert [heading.value for heading in page.header] == [
        "See it work",
        "Start with your images",
        "Read captures you have",
    ]
    assert pressed(page, "Load images").title[0].value == "Data"


def test_the_strip_marks_what_is_done_and_what_comes_next(challenged: App):
    stages = {stage.title: stage for stage in loop_stages(challenged, overview.overview(challenged))}
    assert stages["Dataset"].state == "done"
    assert stages["Model"].value == "v1 in service"
    assert stages["Challenger"].state == "next"
    assert stages["Captured"].state == "todo"
