"""Review: label the images of which the model was least sure."""

import streamlit as st

from scones_core.services import capture
from scones_core.ui.review.review_view import exports, model_input, reviewer, reviewing, strategy_input
from scones_core.ui.shell.ingest import ingest_on_opening
from scones_core.ui.shell.session import get_app, shown_errors
from scones_core.ui.shell.widgets import empty_state, next_step, page_header

page_header("Review", "Confirm or correct what the model said of the images it was least sure of.")
app = get_app()
ingest_on_opening(app)

if not capture.captured(app):
    empty_state(
        "rate_review",
        "There is nothing to review yet: send images through the workflow.",
        "workflow",
        "Start executions",
    )
    st.stop()

name = reviewer()
if name is None:
    st.stop()

with st.container(horizontal=True):
    strategy, model = strategy_input(), model_input(app)
with shown_errors():
    reviewing(app, name, strategy, model)
    exports(app)
next_step("models", "Retrain with the reviewed labels")
