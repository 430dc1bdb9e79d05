"""Review: label the images the model was least sure about."""

import streamlit as st

from scones_core.services import capture, classification
from scones_core.ui.review.proposal_view import proposals
from scones_core.ui.review.queue_view import PARAMETER, opened_queue, queue_header, queue_list
from scones_core.ui.review.review_view import (
    class_input,
    keys_input,
    model_input,
    reviewer,
    reviewing,
    reviewing_pages,
    strategy_input,
    view_input,
)
from scones_core.ui.review.reviewers_view import agreement, figures, stopping_hint
from scones_core.ui.review.search_view import IMAGE, REVIEWER, image_page, reviewer_page, search
from scones_core.ui.shell.filling import empty_page
from scones_core.ui.shell.ingest import ingest_on_opening
from scones_core.ui.shell.session import get_app, shown_errors
from scones_core.ui.shell.user import user
from scones_core.ui.shell.widgets import next_step, page_header

page_header("Review", "Confirm or correct the model's predictions, starting with the least confident.")
app = get_app()
ingest_on_opening(app)

asked = st.query_params
if not capture.captured(app) and PARAMETER not in asked:
    empty_page(app, "rate_review", "Nothing to review yet. Captured images with low confidence come here.")
    st.stop()

if IMAGE in asked or REVIEWER in asked:
    with shown_errors():
        if IMAGE in asked:
            image_page(app, asked[IMAGE], user())
        else:
            reviewer_page(app, asked[REVIEWER], user())
    st.stop()

name = reviewer(app)
if name is None:
    st.stop()

with shown_errors():
    queue = opened_queue(app)
    if queue:
        queue_header(queue)
        agreement(app, queue.id)
        reviewing(app, name, queue.strategy, None, keys_input(), queue.id)
    else:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            pages, strategy, model = view_input(), strategy_input(), model_input(app)
            predicted = class_input(app) if pages else None
            keys = keys_input()
        if pages:
            reviewing_pages(app, name, strategy, model, predicted, keys)
        else:
            reviewing(app, name, strategy, model, keys)
        models = [maker.name for maker in capture.makers(app)]
        queue_list(app, name, classification.class_names(app), models)
    stopping_hint(app)
    figures(app, name)
    proposals(app, name)
    search(app)
next_step("models", "Retrain with the reviewed labels")
