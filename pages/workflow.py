"""Workflow: send images through the state machine, and see what each execution did."""

import streamlit as st

from scones_core.services import classification, deployment, etl, monitoring
from scones_core.ui.actions import action_button
from scones_core.ui.execution_list import (
    batch_name,
    batch_outcome,
    executions_table,
    more_button,
    page_size,
    start_batch,
    status_filter,
)
from scones_core.ui.execution_view import execution_view
from scones_core.ui.session import get_app, shown_errors
from scones_core.ui.watching import watch
from scones_core.ui.widgets import empty_state, next_step, page_header
from scones_core.ui.workflow_input import images_input

page_header(
    "Workflow", "Each image is one execution of the state machine: fetch it, classify it, refuse low confidence."
)
app = get_app()
dataset, endpoint = etl.current(app), deployment.endpoint(app)
if dataset is None:
    empty_state("photo_library", "There are no images yet: load some first.", "data", "Load images")
    st.stop()
if endpoint is None:
    empty_state(
        "model_training", "No model is deployed yet: train one and put it into service.", "train", "Train & deploy"
    )
    st.stop()

with st.container(border=True):
    chosen = images_input(app, dataset)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        workers = st.select_slider("At a time", [1, 2, 4, 8, 16], 4, key="workflow_workers", width=220)
        action_button(
            chosen.label,
            lambda: start_batch(app, chosen, workers),
            key="start_executions",
            icon=":material/play_arrow:",
            primary=True,
            disabled=bool(chosen.missing),
            help=chosen.missing,
        )
    watch(batch_name())
    batch_outcome()

st.subheader("Executions", anchor=False)
status = status_filter()
with shown_errors():
    executions = classification.executions(app, status=status, limit=page_size())
    if not executions:
        st.info(
            "There is no execution to show. Choose images above and press **Start**, or choose another status.",
            icon=":material/account_tree:",
        )
        st.stop()
    name = executions_table(app, executions, monitoring.threshold(app))
    more_button(len(executions))
    execution_view(app, name)
next_step("monitor", "See what the endpoint captured")
