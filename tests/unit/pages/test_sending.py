"""Many images on the page Workflow: batches, bursts and streams."""

import pytest

from scones_core.ports import ExecutionStatus
from scones_core.services import App, batch, monitoring
from tests.unit.pages.driving import Open, ended, metrics, page_until, pressed, shown, texts


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
