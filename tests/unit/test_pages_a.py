"""What a user sees on the pages Overview, Data, Train & deploy, Models and Settings."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from scones_core.errors import BadInput
from scones_core.services import (
    App,
    capture,
    classification,
    deployment,
    etl,
    model_answers,
    overview,
    registration,
    retraining,
    training,
    uploads,
)
from scones_core.ui.models.models_view import service_times
from scones_core.ui.overview.loop_strip import loop_stages
from scones_core.ui.shell.navigation import PageName
from scones_core.ui.shell.server import SCRIPT
from tests.waiting import until

OURS = ("overview", "data", "train", "models", "settings")

Open = Callable[[str], AppTest]


@pytest.fixture
def open_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a page of the app on the home `tmp_path/home`, as a browser does with the page's address."""
    monkeypatch.setenv("SCONES_HOME", str(tmp_path / "home"))
    st.cache_resource.clear()

    def opener(name: str) -> AppTest:
        page = AppTest.from_file(SCRIPT, default_timeout=120)
        page.user = {}
        if name != "overview":
            page.switch_page(PageName(name).path)
        page.run()
        assert not page.exception
        return page

    yield opener
    st.cache_resource.clear()


def page_app() -> App:
    from scones_core.ui.shell.session import main_app

    return main_app()


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def links(page: AppTest) -> list[str]:
    return [link.label for link in page.main.page_link]


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def text(page: AppTest) -> str:
    """What is written on the page."""
    written = (*page.markdown, *page.caption, *page.info, *page.success, *page.warning, *page.error, *page.header)
    return "\n".join(str(element.value) for element in written)


def settled(page: AppTest, done: Callable[[], bool]) -> AppTest:
    """Run the page again until `done`, as its fragment does in a browser."""
    until(done)
    page.run()
    assert not page.exception
    return page


@pytest.mark.parametrize("name", OURS)
def test_a_page_opened_by_its_address_comes_with_navigation_and_asks_for_a_name(open_page: Open, name: str):
    page = open_page(name)
    assert [button.label for button in page.sidebar.button] == ["Enter your name"]
    assert len(page.title) == 1


def test_a_name_once_given_is_shown_on_every_page_without_a_field_that_keys_fall_into(open_page: Open):
    page = open_page("settings")
    page.session_state["user"] = "Ada"
    page.switch_page(PageName.MODELS.path).run()
    assert [caption.value for caption in page.sidebar.caption] == ["You are Ada"]
    assert not page.sidebar.text_input


@pytest.mark.parametrize("name", ["train", "workflow", "models"])
def test_an_empty_page_loads_the_images_it_needs_itself(open_page: Open, name: str):
    page = press(open_page(name), "Load images")
    settled(page, lambda: etl.current(page_app()) is not None)
    assert "Load images" not in [heading.value for heading in page.header]
    assert ("Train a model" in [heading.value for heading in page.header]) == (name != "train")


def test_the_monitor_is_filled_step_by_step_without_leaving_it(open_page: Open):
    etl.load(page_app(), "sample")
    page = press(open_page("monitor"), "Start training")
    settled(page, lambda: training.models(page_app()))
    press(page, "Deploy")
    page.run()
    press(page, "Classify 20 images")
    settled(page, lambda: capture.captured(page_app()) == 20)
    assert metrics(page)["Captured inferences"] == "20"


def test_settings_link_to_the_figures_behind_a_threshold(open_page: Open):
    assert "Compare thresholds" in links(open_page("settings"))


def test_an_empty_home_offers_the_demo_images_and_captures(open_page: Open):
    page = open_page("overview")
    assert [heading.value for heading in page.header] == [
        "See it work",
        "Start with your images",
        "Read captures you have",
    ]
    assert press(page, "Load images").title[0].value == "Data"


def test_loading_the_generated_sample_shows_its_images_and_says_that_they_are_drawn(open_page: Open):
    page = open_page("data")
    assert "No images yet." in text(page)
    press(page, "Load images")
    settled(page, lambda: len(open_page("data").metric) > 0)
    assert metrics(page)["Train images"] == "320"
    assert "Generated sample" in text(page)
    assert len(page.image) == 30
    assert "No skipped images" in text(page)


def test_a_folder_is_loaded_and_what_could_not_be_read_is_listed(open_page: Open, images: Path):
    (images / "train" / "bicycle" / "broken.png").write_bytes(b"no picture")
    page = open_page("data")
    page.segmented_control(key="data_kind").set_value("path").run()
    page.text_input(key="data_path").set_value(str(images)).run()
    press(page, "Load images")
    settled(page, lambda: len(open_page("data").metric) > 0)
    assert metrics(page)["Train images"] == "32"
    assert "auto_awesome" not in text(page).split("Source")[-1]
    assert any("broken.png" in table.value.to_string() for table in page.dataframe)


def test_a_source_that_does_not_exist_is_named_in_the_error(open_page: Open):
    page = open_page("data")
    page.segmented_control(key="data_kind").set_value("path").run()
    page.text_input(key="data_path").set_value("/nowhere/pictures.zip").run()
    press(page, "Load images")
    settled(page, lambda: bool(open_page("data").error))
    assert "pictures.zip" in page.error[0].value


def test_cifar_100_needs_two_classes(open_page: Open):
    page = open_page("data")
    page.segmented_control(key="data_kind").set_value("cifar100").run()
    page.multiselect(key="data_classes").set_value(["bicycle"]).run()
    button = next(button for button in page.button if button.label == "Load images")
    assert button.disabled
    assert button.help == "Choose at least 2 classes."


def test_the_gallery_shows_the_chosen_class_only(open_page: Open, serving: App):
    page = open_page("data")
    page.selectbox(key="gallery_class").set_value("bicycle").run()
    assert {image.caption for image in page.image if hasattr(image, "caption")} <= {"bicycle"}
    assert "of 40" in text(page)


def test_a_trained_model_is_shown_with_its_figures_and_can_be_deployed(open_page: Open, serving: App):
    page = open_page("train")
    assert {"Accuracy", "Log loss", "Calibration error", "Brier score"} <= metrics(page).keys()
    assert metrics(page)["Model in service"] == "v1"
    page.slider(key="capture_percentage").set_value(40).run()
    press(page, "Deploy")
    assert metrics(page)["Data capture"] == "40%"


def test_a_job_that_runs_can_be_stopped(open_page: Open, serving: App):
    page = press(open_page("train"), "Start training")
    press(page, "Stop training")
    settled(page, lambda: training.jobs(serving)[0].status.ended)
    assert len(training.jobs(serving)) == 2
    assert "Stopped" in text(page)


def _counting() -> None:
    import streamlit as st

    from scones_core.ui.shell.actions import action_button

    def count() -> None:
        st.session_state["pressed"] = st.session_state.get("pressed", 0) + 1

    action_button("Count", count, key="count", icon=":material/add:")
    st.metric("Counted", st.session_state.get("pressed", 0))


def test_a_double_click_counts_once():
    page = AppTest.from_function(_counting).run()
    press(press(page, "Count"), "Count")
    assert metrics(page)["Counted"] == "1"


def test_the_first_model_has_no_challenger_and_retraining_waits_for_labels(open_page: Open, serving: App):
    page = open_page("models")
    assert "v1** is in service and has no challenger" in text(page)
    buttons = {button.label: button for button in page.button}
    assert buttons["Retrain"].disabled
    assert buttons["Retrain"].help == "More reviewed labels needed: 1."
    assert buttons["Roll back"].disabled


def test_a_challenger_is_compared_promoted_and_rolled_back(open_page: Open, challenged: App):
    page = open_page("models")
    assert {"Champion v1", "Challenger v2", "McNemar p, mid-p"} <= metrics(page).keys()
    assert "No significant difference" in text(page)
    assert re.search(r"in 4 of 5 cases: about [\d,]+ for 5 points, .* for 1 point. These are 24\.", text(page))
    assert "training images that both share and nobody chose for review: v1 " in text(page)
    assert "v2** replaces **v1** in service" in text(press(page, "Promote v2"))
    dialog = AppTest.from_function(_promoting, default_timeout=120).run()
    assert "No significant difference" in text(dialog)
    dialog.text_input(key="promotion_reason").set_value("as good, and newer")
    press(dialog, "Yes, promote v2")
    assert metrics(open_page("train"))["Model in service"] == "v2"
    assert deployment.history(challenged)[-1].actor == "test@example.com"
    assert deployment.history(challenged)[-1].reason == "as good, and newer"
    page = press(open_page("models"), "Roll back to v1")
    press(AppTest.from_function(_rolling_back, default_timeout=120).run(), "Yes, roll back to v1")
    assert metrics(open_page("train"))["Model in service"] == "v1"
    times = service_times(training.model(challenged, "v1"), deployment.history(challenged)).split("; ")
    assert [time.split()[0] for time in times] == ["deploy", "rollback"]
    assert any("Rejected" in table.value.to_string() for table in open_page("models").dataframe)


def test_the_images_behind_a_models_figures_are_shown(open_page: Open, challenged: App):
    old, new = sorted(training.models(challenged), key=lambda model: model.number)
    answers = model_answers.answers(challenged, new, new.dataset)
    wrong = sum(not one.right for one in answers)
    assert wrong == sum(map(sum, new.metrics["confusion"])) - sum(new.metrics["confusion"][i][i] for i in range(2))
    page = open_page("models")
    choice = page.selectbox(key=f"cell-{new.id}-None")
    assert choice.options[0] == f"All errors ({wrong})"
    cell = next(option for option in choice.options if ", right (" in option)
    choice.select_index(choice.options.index(cell)).run()
    assert not page.exception
    gained, lost = model_answers.disagreements(challenged, old, new)
    comparison = retraining.comparison(challenged, old, new)
    assert (len(gained), len(lost)) == (comparison.challenger_only, comparison.champion_only)


def test_a_challenger_is_rejected_with_a_reason_and_leaves_the_contest(open_page: Open, challenged: App):
    dialog = AppTest.from_function(_rejecting, default_timeout=120).run()
    assert {button.label: button for button in dialog.button}["Yes, reject v2"].disabled
    dialog.text_input(key="rejection_reason").set_value("slower").run()
    press(dialog, "Yes, reject v2")
    page = open_page("models")
    assert re.search("Rejected by .*: slower", text(page))
    assert not [button for button in page.button if button.label.startswith("Promote")]


def trial_table(page: AppTest) -> pd.DataFrame:
    return page.table[0].value.set_index("")


def test_a_challenger_is_tried_on_live_traffic_with_figures_beside_the_champions(open_page: Open, challenged: App):
    page = open_page("models")
    page.slider(key="trial_share").set_value(50).run()
    press(page, "Start trial")
    assert deployment.get_endpoint(challenged).trial.share == 0.5
    assert "v2 is on trial" in text(page)
    assert trial_table(page).loc["Captured inferences"].tolist() == ["0", "0"]
    assert trial_table(page).loc["Mean confidence"].tolist() == ["–", "–"]
    classification.classify(challenged, classification.sample_keys(challenged, 20))
    table = trial_table(open_page("models"))  # opening it reads what was captured
    assert table.columns.tolist() == ["Champion v1", "Challenger v2"]
    assert table.loc["Share"].tolist() == ["50%", "50%"]
    assert sum(map(int, table.loc["Captured inferences"])) == 20
    assert [button.label for button in page.button if button.label.startswith("Promote")] == ["Promote v2"]


def test_the_share_of_a_trial_is_changed_and_the_trial_ended(open_page: Open, challenged: App):
    deployment.start_trial(challenged, "v2", 0.1)
    assert "v2 gets 10% of the traffic, as Challenger" in text(open_page("train"))
    page = open_page("models")
    assert {button.label: button for button in page.button}["Change share"].disabled
    page.slider(key="trial_share_v2").set_value(30).run()
    press(page, "Change share")
    assert trial_table(page).loc["Share"].tolist() == ["70%", "30%"]
    press(page, "End trial")
    assert "on trial" not in text(page)
    assert "Start trial" in [button.label for button in page.button]
    assert "change share (30%)" in page.dataframe[-1].value["Action"].tolist()
    assert "On trial" not in text(open_page("train"))


def test_a_trial_that_a_newer_challenger_has_overtaken_is_still_shown(open_page: Open, challenged: App):
    deployment.start_trial(challenged, "v2", 0.1)
    registration.wait(challenged, training.start(challenged, seed=2).name)
    page = open_page("models")
    assert "v2 is on trial" in text(page)
    promotions = [button.label for button in page.button if button.label.startswith("Promote")]
    assert promotions == ["Promote v3", "Promote v2"]


def test_without_a_challenger_the_models_page_says_nothing_of_trials(open_page: Open, serving: App):
    page = open_page("models")
    assert "trial" not in text(page)
    assert "Start trial" not in [button.label for button in page.button]


def test_the_monitor_tells_the_variants_apart_where_there_are_two(open_page: Open, challenged: App):
    classification.classify(challenged, classification.sample_keys(challenged, 5))
    assert not open_page("monitor").table
    deployment.start_trial(challenged, "v2", 0.5)
    classification.classify(challenged, classification.sample_keys(challenged, 20))
    page = open_page("monitor")
    assert "Production variants" in text(page)
    assert page.table[0].value["Variant"].tolist() == ["AllTraffic", "Challenger"]


# AppTest runs the whole page where a browser runs the dialog alone, so these hold the dialog open.


def _promoting() -> None:
    from scones_core.services import deployment
    from scones_core.ui.models.decision import confirm_promotion
    from scones_core.ui.shell.session import get_app

    app = get_app()
    champion, challenger = deployment.champion(app), deployment.challenger(app)
    if champion and challenger:
        confirm_promotion(app, challenger, champion)


def _rejecting() -> None:
    from scones_core.services import deployment
    from scones_core.ui.models.decision import confirm_rejection
    from scones_core.ui.shell.session import get_app

    app = get_app()
    champion, challenger = deployment.champion(app), deployment.challenger(app)
    if champion and challenger:
        confirm_rejection(app, challenger, champion)


def _rolling_back() -> None:
    from scones_core.services import deployment
    from scones_core.ui.models.decision import confirm_rollback
    from scones_core.ui.shell.session import get_app

    app = get_app()
    if back_to := deployment.previous(app):
        confirm_rollback(app, back_to)


def test_a_threshold_close_to_one_can_be_looked_at_and_taken_back(open_page: Open):
    from scones_core.services import monitoring
    from scones_core.ui.shell.session import get_app

    app = get_app()
    monitoring.set_threshold(app, 0.9999)
    page = open_page("settings")
    assert metrics(page)["Current"] == "0.9999"
    page.number_input(key="new_threshold").set_value(0.93).run()
    press(page, "Set threshold")
    assert monitoring.threshold(app) == 0.93


def test_the_threshold_is_changed_on_the_settings_page(open_page: Open):
    page = open_page("settings")
    assert metrics(page)["Current"] == "0.93"
    page.number_input(key="new_threshold").set_value(0.8).run()
    press(page, "Set threshold")
    assert metrics(page)["Current"] == "0.8"


def test_the_settings_page_shows_the_checks_and_no_secret(open_page: Open, monkeypatch: pytest.MonkeyPatch):
    page = open_page("settings")
    assert "checks passed" in text(page)
    tables = "\n".join(table.value.to_string() for table in page.table)
    assert "SCONES_DATABASE_URL" in tables
    assert "SQLite in the home" in tables


def test_the_strip_marks_what_is_done_and_what_comes_next(challenged: App):
    stages = {stage.title: stage for stage in loop_stages(challenged, overview.overview(challenged))}
    assert stages["Dataset"].state == "done"
    assert stages["Model"].value == "v1 in service"
    assert stages["Challenger"].state == "next"
    assert stages["Captured"].state == "todo"


def test_an_uploaded_file_is_kept_once_under_a_safe_name(app: App):
    first = uploads.save(app, "../../my pictures.zip", io.BytesIO(b"zip"))
    assert first == uploads.save(app, "../../my pictures.zip", io.BytesIO(b"zip"))
    assert Path(first).name == "my_pictures.zip"
    assert Path(first).is_relative_to(app.settings.home)
    with pytest.raises(BadInput, match="empty"):
        uploads.save(app, "nothing.zip", io.BytesIO())


def test_an_older_dataset_version_is_made_current_again(app: App, images: Path):
    first = etl.load(app, str(images))
    second = etl.load(app, "sample")
    assert etl.current(app) == second
    etl.make_current(app, first.id)
    assert etl.current(app) == first
    assert app.backend.objects.get("train.lst") == app.backend.objects.get(f"datasets/{first.id}/train.lst")
    assert training.start(app).name in training.records(app)
    assert next(iter(training.records(app).values())).dataset == first.id


def test_the_current_dataset_is_what_the_newest_load_made(app: App, images: Path):
    version = etl.load(app, str(images))
    assert etl.current(app) == version


def test_who_is_not_signed_in_sees_the_way_in_and_nothing_else(open_page: Open, serving: App):
    page = AppTest.from_file(SCRIPT, default_timeout=120)
    page.user = {"is_logged_in": False}
    page.switch_page(PageName.MODELS.path).run()
    assert [button.label for button in page.button] == ["Sign in"]
    assert not page.metric
    assert not page.dataframe


def test_an_expired_sign_in_is_no_sign_in(open_page: Open):
    page = AppTest.from_file(SCRIPT, default_timeout=120)
    page.user = {"is_logged_in": True, "name": "Ada", "exp": 1}
    page.run()
    assert not page.metric
