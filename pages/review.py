"""Review: label the images the model was least sure about."""

import streamlit as st

from scones_core.services import capture
from scones_core.ui.review.queue_view import opened_queue, queue_header
from scones_core.ui.review.review_view import keys_input, model_input, reviewer, reviewing, strategy_input
from scones_core.ui.shell.ingest import ingest_on_opening
from scones_core.ui.shell.session import get_app, shown_errors
from scones_core.ui.shell.widgets import empty_state, next_step, page_header

page_header("Review", "Confirm or correct the model's predictions, starting with the least confident.")
app = get_app()
ingest_on_opening(app)

if not capture.captured(app):
    empty_state(
        "rate_review",
        "Nothing to review yet. Send images through the workflow.",
        "workflow",
        "Start executions",
    )
    st.stop()

name = reviewer()
if name is None:
    st.stop()

with shown_errors():
    queue = opened_queue(app)
    if queue:
        queue_header(queue)
        reviewing(app, name, queue.strategy, None, keys_input(), queue.id)
    else:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            strategy, model, keys = strategy_input(), model_input(app), keys_input()
        reviewing(app, name, strategy, model, keys)
next_step("models", "Retrain with the reviewed labels")
