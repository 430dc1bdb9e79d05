"""The page Review: queues, decisions, gold images and who may see what."""

import pytest
import streamlit as st

from scones_core.domain.review import Strategy
from scones_core.services import App, class_proposals, gold, queues, review
from scones_core.services.queues import QueueEntry
from tests.unit.pages.driving import Open, pressed, reviewing, shown, texts


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
