"""The pages Workflow, Monitor and Review, as a user sees them."""

import io
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from scones_core.domain.review import Strategy
from scones_core.services import (
    App,
    capture,
    class_proposals,
    classification,
    deployment,
    gold,
    label_export,
    likeness,
    monitoring,
    queues,
    review,
    stopping,
)
from scones_core.services.queues import QueueEntry
from scones_core.ui.shell.session import get_app, get_background
from tests.unit.captured_world import IMAGES
from tests.unit.test_ingest import line
from tests.unit.test_label_import import wiped
from tests.waiting import until

APP = Path(__file__).resolve().parents[2] / "streamlit_app.py"
Open = Callable[[str], AppTest]


@pytest.fixture
def open_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open a page of the app on the test's home; an empty one unless a fixture filled it."""
    monkeypatch.setenv("SCONES_HOME", str(tmp_path / "home"))
    st.cache_resource.clear()

    def opener(name: str) -> AppTest:
        page = AppTest.from_file(str(APP), default_timeout=120)
        page.user = {}
        return page.run().switch_page(f"pages/{name}.py").run()

    yield opener
    st.cache_resource.clear()


@pytest.fixture
def trained(trained_home: Path, tmp_path: Path, open_page: Open) -> App:
    """Trained and deployed, nothing captured yet."""
    shutil.copytree(trained_home, tmp_path / "home", symlinks=True)
    return get_app()


@pytest.fixture
def captured(captured_folder: Path, tmp_path: Path, open_page: Open) -> App:
    shutil.copytree(captured_folder, tmp_path / "home", symlinks=True)
    return get_app()


def pressed(page: AppTest, label: str) -> AppTest:
    """The page after a press on the button whose label begins so."""
    next(button for button in page.button if button.label.startswith(label)).click()
    return shown(page.run())


def shown(page: AppTest) -> AppTest:
    """The page, without an unexpected error on it."""
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    """What the page says, without widgets."""
    return "\n".join(
        str(part.value) for part in [*page.markdown, *page.caption, *page.info, *page.success, *page.error]
    )


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def until_ended(page: AppTest) -> AppTest:
    """The page once the executions it started have ended."""
    until(lambda: "ended:" in texts(page) or "ended:" in texts(shown(page.run())))
    return page


# Workflow


def test_the_workflow_says_to_deploy_a_model_first(trained: App, open_page: Open) -> None:
    trained.backend.endpoints.delete(trained.settings.endpoint)
    assert "No model is deployed yet" in texts(shown(open_page("workflow")))


def test_without_executions_the_workflow_says_how_to_start_some(trained: App, open_page: Open) -> None:
    assert "No executions to show" in texts(shown(open_page("workflow")))


def test_executions_are_started_and_listed_with_what_they_said(trained: App, open_page: Open) -> None:
    page = open_page("workflow")
    page.slider(key="workflow_count").set_value(3)
    page = until_ended(pressed(page.run(), "Start 3 executions"))
    assert "3 executions ended" in texts(page)
    table = page.dataframe[0].value
    assert len(table) == 3
    assert set(table["Prediction"]) <= {"bicycle", "motorcycle"}
    assert all(50 <= value <= 100 for value in table["Confidence"])


def test_a_chosen_execution_shows_each_state_with_input_and_error(captured: App, open_page: Open) -> None:
    monitoring.set_threshold(captured, 0.999999)
    (told,) = classification.classify(captured, classification.sample_keys(captured, 1))
    assert told.status == "FAILED"
    page = shown(open_page("workflow"))
    assert told.name in [part.value for part in page.header]
    assert page.selectbox[0].value == "Inference Confidence Filtering"
    assert "does not exceed the threshold" in page.error[0].value
    page.selectbox[0].select("Serialize Image Data").run()
    assert not page.error
    assert told.image in page.json[0].value


def test_an_execution_is_run_again_with_its_input(captured: App, open_page: Open) -> None:
    (one,) = classification.classify(captured, classification.sample_keys(captured, 1))
    page = shown(open_page("workflow"))
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
    page = until_ended(pressed(page, "Start 2 executions"))
    assert len(page.dataframe[0].value) == IMAGES + 2
    assert not any(box.value for box in page.checkbox)


def test_a_picture_of_ones_own_is_uploaded_and_classified(captured: App, open_page: Open) -> None:
    written = io.BytesIO()
    Image.new("RGB", (300, 200), "green").save(written, "JPEG")
    page = open_page("workflow")
    page.segmented_control(key="workflow_source").select("upload").run()
    page.file_uploader[0].upload("mine.jpg", written.getvalue(), "image/jpeg").run()
    page = until_ended(pressed(page, "Start 1 execution"))
    assert (
        page.dataframe[0].value["Execution"][0].startswith("mine") or "mine" in page.dataframe[0].value["Execution"][0]
    )


# Monitor


def test_the_monitor_says_to_classify_first(open_page: Open) -> None:
    assert "No captured inferences yet" in texts(shown(open_page("monitor")))


def test_opening_the_monitor_reads_what_was_captured(trained: App, open_page: Open) -> None:
    classification.classify(trained, classification.sample_keys(trained, 5, seed=0))
    assert metrics(shown(open_page("monitor")))["Captured inferences"] == "5"


def test_the_figures_follow_the_threshold(captured: App, open_page: Open) -> None:
    monitoring.set_threshold(captured, 0.0)
    assert metrics(shown(open_page("monitor")))["Low-confidence"] == "0.0%"
    monitoring.set_threshold(captured, 0.9999999)
    assert metrics(shown(open_page("monitor")))["Low-confidence"] == "100.0%"


def test_few_inferences_are_not_called_drift(captured: App, open_page: Open) -> None:
    page = shown(open_page("monitor"))
    assert metrics(page)["Drift"] == "Unknown"
    assert f"there are {IMAGES}" in texts(page)


def test_a_threshold_is_tried_and_set(captured: App, open_page: Open) -> None:
    page = open_page("monitor")
    page.slider(key="tried_threshold").set_value(0.75)
    pressed(page.run(), "Set threshold to 0.75")
    assert monitoring.threshold(captured) == 0.75


def test_weak_slices_are_looked_for_when_asked(captured: App, open_page: Open) -> None:
    page = pressed(open_page("monitor"), "Find weak slices")
    assert "From 24 sealed test images of v1" in texts(page)
    assert any(label.label.startswith("All ") and "slices" in label.label for label in page.expander)


def test_a_selection_that_was_zoomed_into_is_none_even_if_the_browser_sends_it_again(captured: App, open_page: Open):
    page = open_page("monitor")
    for key in ("monitor_from", "monitor_selected_from"):
        page.text_input(key=key).set_value("2026-01-01T00:00")
    page.number_input(key="monitor_above").set_value(0.5)
    page.run()
    assert not page.exception
    assert page.text_input(key="monitor_from").value == "2026-01-01T00:00"
    assert page.text_input(key="monitor_selected_from").value == ""
    assert page.number_input(key="monitor_above").value is None


def test_captured_images_are_placed_on_a_map_that_the_filters_choose_from(captured: App, open_page: Open) -> None:
    likeness.update(captured)
    page = pressed(open_page("monitor"), "Make the map")
    until(lambda: (task := get_background().get("map captured")) and not task.running)
    page = shown(page.run())
    [told] = [part.value for part in page.caption if "Choose the lasso" in part.value]
    assert told.startswith(f"{IMAGES} images of all inferences.")
    assert page.segmented_control(key="map_colour_captured").options == [
        "Predicted class",
        "Confidence",
        "Error",
        "Time",
    ]
    for colour in ("Confidence", "Error", "Time"):
        page = shown(page.segmented_control(key="map_colour_captured").set_value(colour).run())
    low = monitoring.figures(captured).low_confidence
    page = shown(page.segmented_control(key="monitor_kind").set_value("Low-confidence").run())
    told = [part.value for part in page.caption if "Choose the lasso" in part.value]
    assert [text.split(".")[0] for text in told] == [f"{low} images of low-confidence inferences"]


def test_what_another_threshold_does_is_told(captured: App, open_page: Open) -> None:
    page = open_page("monitor")
    page.slider(key="tried_threshold").set_value(0.999)
    page = shown(page.run())
    assert "What if the threshold were 0.999?" in [part.value for part in page.subheader]
    low = monitoring.figures(captured, at=0.999).low_confidence
    assert any(f"From {IMAGES} captured inferences of v1" in part.value for part in page.caption)
    assert {m.label: m.value for m in page.metric}["Low-confidence in all"] == f"{low}"
    if monitoring.measured(captured).correct.all():
        assert any("Costs need ten labelled images, and an error among them" in part.value for part in page.info)
    else:
        page.button(key="set_cheapest_threshold").click().run()
        assert f"Cheapest at **{monitoring.threshold(captured):g}**" in texts(shown(page))


def test_the_image_behind_the_latest_inference_is_shown(captured: App, open_page: Open) -> None:
    assert "### Latest" in texts(shown(open_page("monitor")))


# Review


def reviewing(page: AppTest) -> AppTest:
    """The page after its reader has said who they are."""
    page.text_input(key="reviewer_name").set_value("Ada")
    return pressed(page, "Start reviewing")


def test_the_review_says_to_classify_first(open_page: Open) -> None:
    assert "Nothing to review yet" in texts(shown(open_page("review")))


def test_review_says_when_more_labels_hardly_help(captured: App, open_page: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stopping, "JUDGED", 6)
    assert "least sure of" not in said(reviewing(open_page("review")))
    for item in review.next_items(captured, "Ada", count=6):
        review.decide(captured, item.id, item.prediction, "Ada")
    told = "Reviewers confirmed 6 of the last 6 predictions that v1 was least sure of."
    assert said(reviewing(open_page("review"))) == f"{told} Retrain with the labels you have; you can stop here."


def said(page: AppTest) -> str:
    return " ".join(part.value for part in [*page.success, *page.caption] if "least sure of" in part.value)


def test_a_reviewer_is_asked_for_a_name_and_then_sees_how_much_is_left(captured: App, open_page: Open) -> None:
    monitoring.set_threshold(captured, 0.9999999)
    page = shown(open_page("review"))
    assert "Who is reviewing?" in texts(page)
    assert not page.metric
    page = reviewing(page)
    assert metrics(page) == {"Pending": str(IMAGES), "Confirmed": "0", "Relabelled": "0", "Skipped": "0"}


def test_opening_the_review_reads_what_was_captured(trained: App, open_page: Open) -> None:
    classification.classify(trained, classification.sample_keys(trained, 3, seed=0))
    assert "Who is reviewing?" in texts(shown(open_page("review")))


def test_without_labels_there_is_nothing_to_export(captured: App, open_page: Open) -> None:
    page = reviewing(open_page("review"))
    assert "0 reviewed labels" in texts(page)
    assert all(button.proto.disabled for button in page.get("download_button"))


def test_the_export_counts_what_was_decided_a_moment_ago(captured: App, open_page: Open) -> None:
    page = reviewing(open_page("review"))
    (item,) = review.next_items(captured, "Ada")
    review.decide(captured, item.id, "bicycle", "Ada")
    assert "1 reviewed label," in texts(page.run())
    assert not any(button.proto.disabled for button in page.get("download_button"))


def test_exports_are_filtered_by_reviewer_status_model_and_day(captured: App, open_page: Open) -> None:
    for name, answer in (("Ada", None), ("Ada", None), ("Ben", "other")):
        (item,) = review.next_items(captured, name)
        review.decide(captured, item.id, answer or item.prediction, name)
    page = reviewing(open_page("review"))
    assert "3 reviewed labels, for" in texts(page)
    page.selectbox(key="export_by_reviewer").set_value("Ada")
    assert "2 reviewed labels that fit the filter" in texts(page.run())
    page.selectbox(key="export_by_status").set_value("relabelled")
    assert "0 reviewed labels that fit the filter" in texts(page.run())
    assert all(button.proto.disabled for button in page.get("download_button"))
    page.selectbox(key="export_by_reviewer").set_value("Ben")
    page.selectbox(key="export_by_model").set_value("v1")
    today = datetime.now(UTC).date()
    page.date_input(key="export_days").set_value((today - timedelta(days=1), today + timedelta(days=1)))
    assert "1 reviewed label that fit" in texts(page.run())
    page.date_input(key="export_days").set_value((today - timedelta(days=9), today - timedelta(days=8)))
    assert "0 reviewed labels that fit" in texts(page.run())


def test_labels_exported_wiped_and_imported_on_the_page_are_the_same(captured: App, open_page: Open) -> None:
    for item, answer in zip(
        review.next_items(captured, "Zoë", count=3), ("bicycle", "other", "motorcycle"), strict=True
    ):
        review.decide(captured, item.id, answer, "Zoë", note="schräg\n自行车")

    def labels() -> list[tuple[object, ...]]:
        return sorted((row["id"], row["label"], row["reviewer"], row["note"]) for row in review.reviewed(captured))

    before, (text, _) = labels(), label_export.export(captured, label_export.ExportFormat.MANIFEST)
    wiped(captured)
    assert labels() == []
    page = reviewing(open_page("review"))
    for said in ("3 new labels, 0 known already", "0 new labels, 3 known already"):
        page.file_uploader(key="import_labels").upload("reviewed.manifest", text.encode()).run()
        page.button(key="import_labels_now").click().run()
        assert f"{said}, 0 rows refused." in texts(page)
        assert labels() == before


def test_a_link_opens_the_view_the_order_and_the_model(captured: App, open_page: Open) -> None:
    page = open_page("review")
    page.query_params["review_view"] = "Grid"
    page.query_params["review_model"] = "v1"
    page.query_params["review_strategy"] = "Newest"
    page = reviewing(page)
    assert page.selectbox(key="review_model").value == "v1"
    assert page.selectbox(key="review_strategy").value == "newest"
    assert page.selectbox(key="review_class").value  # the grid is open


def test_ones_own_decision_can_be_taken_back_and_anothers_cannot(captured: App, open_page: Open) -> None:
    for name in ("Ada", "Ben"):
        (item,) = review.next_items(captured, name)
        review.decide(captured, item.id, "bicycle", name)
    page = pressed(reviewing(open_page("review")), "Take back")
    assert [row["reviewer"] for row in review.reviewed(captured)] == ["Ben"]
    assert not [button for button in page.button if button.label == "Take back"]


def test_a_queue_is_opened_by_its_link_with_owner_and_progress(captured: App, open_page: Open) -> None:
    items = review.next_items(captured, "Ben", count=3)
    entries = [QueueEntry(item.id, "close call") for item in items]
    id = queues.create(captured, "Night <shift>", entries, strategy=Strategy.SELECTION, by="Cleo")
    review.decide(captured, items[0].id, "bicycle", "Ben", queue=id)
    page = open_page("review")
    page.query_params["queue"] = str(id)
    page = reviewing(page)
    assert "Night \\<shift\\>" in texts(page)
    assert "created by Cleo" in texts(page)
    assert any("1 of 3 images of this queue" in bar.proto.text for bar in page.get("progress"))


def test_a_proposed_class_is_accepted_on_the_page(captured: App, open_page: Open) -> None:
    (item,) = review.next_items(captured, "Ben")
    class_proposals.propose(captured, item.id, "scooter", "Ben")
    page = reviewing(open_page("review"))
    assert "1 image · proposed by Ben" in texts(page)
    page = pressed(page, "Accept")
    assert review.reviewed(captured)[0]["label"] == "scooter"
    assert "proposed by" not in texts(page)


def test_an_image_is_found_and_its_page_has_its_history(captured: App, open_page: Open) -> None:
    (item,) = review.next_items(captured, "Ben")
    review.decide(captured, item.id, "bicycle", "Ben", note="odd <b>wheel</b>")
    page = reviewing(open_page("review"))
    page.text_input(key="review_search").set_value("odd <b>").run()
    assert "· Ben ·" in texts(page)
    page.query_params["image"] = item.id
    page = shown(page.run())
    assert page.dataframe[1].value["Decision"].tolist() == ["bicycle"]
    assert page.dataframe[1].value["Note"].tolist() == ["odd <b>wheel</b>"]
    page.selectbox(key="correct_label").set_value("/other")
    page.text_input(key="correct_note").set_value("a tandem")
    page = pressed(page, "Record this label")
    assert page.dataframe[1].value["Decision"].tolist() == ["bicycle", "other"]
    [now] = review.reviewed(captured)
    assert (now["label_text"], now["reviewer"], now["note"]) == ("other", "Ada", "a tandem")


def test_an_operator_sees_every_reviewer_and_makes_gold_images(captured: App, open_page: Open) -> None:
    (first,) = review.next_items(captured, "Ben")
    review.decide(captured, first.id, "bicycle", "Ben")
    page = reviewing(open_page("review"))
    table = next(part.value for part in page.dataframe if "Overruled" in part.value)
    assert table["Reviewer"].tolist() == ["Ben"]
    page.number_input(key="gold_rate").set_value(20).run()
    assert gold.rate(captured) == 0.2
    page.query_params["image"] = first.id
    page = pressed(shown(page.run()), "Make it a gold image")
    assert "A gold image, labelled bicycle" in texts(page)


def test_only_operators_see_the_figures_and_decisions_of_others(
    captured: App, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    (item,) = review.next_items(captured, "Ben")
    review.decide(captured, item.id, "bicycle", "Ben")
    monkeypatch.setenv("SCONES_OPERATORS", "Olga")
    st.cache_resource.clear()
    page = reviewing(open_page("review"))
    assert not [part for part in page.dataframe if "Overruled" in part.value]
    page.query_params["reviewer"] = "Ben"
    assert "Only operators see" in texts(shown(page.run()))


def test_the_agreement_of_a_queues_reviewers_is_told_with_its_basis(captured: App, open_page: Open) -> None:
    items = review.next_items(captured, "Ben", count=4)
    entries = [QueueEntry(item.id, "") for item in items]
    id = queues.create(captured, "Votes", entries, strategy=Strategy.SELECTION, by="Cleo", reviewers=2)
    for who, labels in (("Ben", "bbmm"), ("Cleo", "bbmb")):
        for item, letter in zip(items, labels, strict=True):
            label = {"b": "bicycle", "m": "motorcycle"}[letter]
            review.decide(captured, item.id, label, who, queue=id)
    page = open_page("review")
    page.query_params["queue"] = str(id)
    page = reviewing(page)
    assert "3 of 4 images with several votes have one answer" in texts(page)
    assert "Ben and Cleo 0.50 on 4 images" in texts(page)


def test_a_link_to_a_queue_that_does_not_exist_says_so(captured: App, open_page: Open) -> None:
    page = open_page("review")
    page.query_params["queue"] = "77"
    page = reviewing(page)
    assert "No review queue 77" in texts(page)


def test_deployed_model_gives_the_labels_to_choose_from(captured: App) -> None:
    assert deployment.champion(captured) is not None
    assert review.next_items(captured, "Ada")[0].classes == ("bicycle", "motorcycle")


def test_lines_that_were_put_aside_are_counted_by_reason(captured: App, open_page: Open) -> None:
    capture.ingest_files(captured, [b'{"captureData": null}\n[1]\n'])
    page = open_page("monitor")
    assert any("Quarantined: 2 unreadable lines" in expander.label for expander in page.expander)


def test_imported_inferences_without_class_names_are_named_on_the_page(captured: App, open_page: Open) -> None:
    capture.ingest_files(captured, [line("x")])
    page = open_page("monitor")
    page.text_input(key="import_names").set_value("car, van").run()
    page.button(key="name_classes").click().run()
    assert not any("have no class names" in element.value for element in page.markdown)
    assert "car" in {row["class"] for row in monitoring.figures(captured, model="imported").by_class}
