"""Finding images, and the pages of one image and of one reviewer with their whole history."""

import pandas as pd
import streamlit as st

from scones_core.domain.review import OTHER, UNUSABLE, Status, in_words
from scones_core.services import App, capture, gold, review, review_search, reviewers
from scones_core.services.review_search import FoundImage, PastDecision
from scones_core.ui.shell import navigation
from scones_core.ui.shell.images import captured_image
from scones_core.ui.shell.more_like_this import more_like_this
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import heading, time_text, wall_time
from scones_core.ui.shell.widgets import percent

IMAGE, REVIEWER = "image", "reviewer"  # parameters of the page's URL
_SHOWN = 12  # images found that are shown


def search(app: App) -> None:
    """A field, and the images that it finds, each a link to its page."""
    st.header("Find images", anchor=False)
    text = st.text_input("Id, class, reviewer or note", key="review_search", max_chars=200)
    if not text.strip():
        return
    found = review_search.find(app, text)
    if not found:
        st.caption(f"Nothing found for “{plain(text)}”.")
    for image in found[:_SHOWN]:
        _found(app, image)
    if len(found) > _SHOWN:
        more = "or more " if len(found) == review_search.MOST else ""
        st.caption(f"{_SHOWN} of {len(found)} {more}images are shown: narrow the search to see the others.")


def _found(app: App, image: FoundImage) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        captured_image(app, image.id, width=40, side=96, alt="A found image")
        label = "no label" if image.label is None else image.label.replace("_", " ")
        navigation.link("review", plain(label), query={IMAGE: image.id}, icon=":material/image_search:")
        by = "" if image.reviewer is None else f" · {plain(image.reviewer)}"
        state = "" if image.status is Status.PENDING else f" · {image.status}"
        said = f"{plain(image.prediction.replace('_', ' '))} {percent(image.confidence, 0)} by {image.model}"
        st.caption(f"{said}{state}{by} · {time_text(image.time)}", width="stretch")


def image_page(app: App, id: str, viewer: str) -> None:
    """One image: what models predicted, and every decision on it. Raises NotFound."""
    history = review_search.image_history(app, id)
    navigation.link("review", "Back to the desk", icon=":material/arrow_back:")
    with st.container(horizontal=True, vertical_alignment="top"):
        with st.container(width=256, horizontal_alignment="center"):
            captured_image(app, id, width=256, side=256, alt="The captured image")
            more_like_this(app, capture.inference(app, id)["image_sha256"], key=id)
        with st.container():
            st.markdown("## Predictions")
            rows = [
                {
                    heading("Time"): wall_time(one.time),
                    "Model": one.model,
                    "Prediction": one.prediction,
                    "Confidence": 100 * one.confidence,
                    "Id": one.id,
                }
                for one in history.inferences
            ]
            config = {"Confidence": st.column_config.NumberColumn(format="%.1f%%")}
            st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=config, alt="Predictions for this image")
    st.markdown("## Decisions")
    _decisions(history.decisions, "No decision on this image yet.")
    if reviewers.is_operator(app, viewer):
        _correct(app, id, viewer)
        _make_gold(app, id, viewer)


def _correct(app: App, id: str, viewer: str) -> None:
    """An operator's form: another label for the image, a decision like all others."""
    item = review.item(app, id)
    with st.form("correct_form", border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            answers = [*item.classes, OTHER, UNUSABLE]
            label = st.selectbox("Label", answers, format_func=_answer, key="correct_label", width=220)
            note = st.text_input("Note", key="correct_note", max_chars=500)
        if st.form_submit_button("Record this label", icon=":material/edit:"):
            review.decide(app, id, label, viewer, note=note, revision=item.revision)
            st.rerun()


def _answer(label: str) -> str:
    return (in_words(label) or label).replace("_", " ")


def _make_gold(app: App, id: str, viewer: str) -> None:
    """An operator's form: the label of the image is known, so that it can measure reviewers."""
    with st.form("gold_form", border=True):
        label = st.selectbox("Known label", review.item(app, id).classes, key="gold_label", width=220)
        if st.form_submit_button("Make it a gold image", icon=":material/workspace_premium:"):
            gold.set_gold(app, id, str(label), viewer)
            st.success(f"A gold image, labelled {plain(label)}. The share of gold images is set under Reviewers.")


def reviewer_page(app: App, name: str, viewer: str) -> None:
    """Every decision of one reviewer, for themselves and for operators."""
    navigation.link("review", "Back to the desk", icon=":material/arrow_back:")
    if name != viewer and not reviewers.is_operator(app, viewer):
        st.info("Only operators see the decisions of other reviewers.")
        return
    st.markdown(f"## Decisions of {plain(name)}")
    _decisions(review_search.reviewer_history(app, name), "No decisions under this name.")


def _decisions(decisions: list[PastDecision], nothing: str) -> None:
    if not decisions:
        st.caption(nothing)
        return
    rows = [
        {
            heading("Time"): wall_time(one.time),
            "Decision": _said(one),
            "Reviewer": one.reviewer,
            "Note": one.note,
            "Why shown": (one.strategy or "requested").replace("_", " "),
            "Queue": one.queue,
            "Id": one.id,
        }
        for one in decisions
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Decisions, with those taken back")


def _said(decision: PastDecision) -> str:
    text = "taken back" if decision.action == "undo" else (decision.label or "skipped").replace("_", " ")
    return f"{text} (taken back)" if decision.undone else text
