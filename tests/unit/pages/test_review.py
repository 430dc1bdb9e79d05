"""The page Review: labels, their export and import."""

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from scones_core.services import App, classification, deployment, label_export, monitoring, review, stopping
from tests.unit.captured_world import IMAGES
from tests.unit.pages.driving import Open, metrics, reviewing, texts
from tests.unit.test_label_import import wiped


def test_the_review_says_to_classify_first(open_page: Open) -> None:
    assert "Nothing to review yet" in texts(open_page("review"))


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
    page = open_page("review")
    assert "Who is reviewing?" in texts(page)
    assert not page.metric
    page = reviewing(page)
    assert metrics(page) == {"Pending": str(IMAGES), "Confirmed": "0", "Relabelled": "0", "Skipped": "0"}


def test_opening_the_review_reads_what_was_captured(trained: App, open_page: Open) -> None:
    classification.classify(trained, classification.sample_keys(trained, 3, seed=0))
    assert "Who is reviewing?" in texts(open_page("review"))


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


def test_deployed_model_gives_the_labels_to_choose_from(captured: App) -> None:
    assert deployment.champion(captured) is not None
    assert review.next_items(captured, "Ada")[0].classes == ("bicycle", "motorcycle")
