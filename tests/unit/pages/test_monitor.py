"""The page Monitor."""

from scones_core.services import App, capture, classification, likeness, monitoring
from scones_core.ui.shell.session import get_background
from tests.unit.captured_world import IMAGES
from tests.unit.pages.driving import Open, metrics, pressed, shown, texts
from tests.unit.test_ingest import line
from tests.waiting import until


def test_the_monitor_says_to_classify_first(open_page: Open) -> None:
    assert "No captured inferences yet" in texts(open_page("monitor"))


def test_opening_the_monitor_reads_what_was_captured(trained: App, open_page: Open) -> None:
    classification.classify(trained, classification.sample_keys(trained, 5, seed=0))
    assert metrics(open_page("monitor"))["Captured inferences"] == "5"


def test_the_figures_follow_the_threshold(captured: App, open_page: Open) -> None:
    monitoring.set_threshold(captured, 0.0)
    assert metrics(open_page("monitor"))["Low-confidence"] == "0.0%"
    monitoring.set_threshold(captured, 0.9999999)
    assert metrics(open_page("monitor"))["Low-confidence"] == "100.0%"


def test_few_inferences_are_not_called_drift(captured: App, open_page: Open) -> None:
    page = open_page("monitor")
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
    assert "### Latest" in texts(open_page("monitor"))


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
