"""Train & deploy: start and follow training jobs, deploy a model."""

import streamlit as st

from scones_core.services import costs, etl, training
from scones_core.ui.shell.background_deploy import watch_serving
from scones_core.ui.shell.costs import idle_warning
from scones_core.ui.shell.filling import empty_page
from scones_core.ui.shell.session import get_app
from scones_core.ui.shell.widgets import next_step, page_header
from scones_core.ui.train.deploy_form import deploy_form
from scones_core.ui.train.endpoint_view import endpoint_card
from scones_core.ui.train.jobs import jobs_panel, start_form

page_header("Train & deploy", "A training job creates a model version. Deploy a version to serve it at the endpoint.")
app = get_app()

if etl.current(app) is None:
    empty_page(app, "model_training", "No images to train on yet.")
    st.stop()

cost = costs.of_endpoint(app)
idle_warning(cost, "below")
cards = st.grid(3, min_column_width=250)
with cards.container(border=True, height="stretch"):
    st.header("Training job", anchor=False)
    start_form(app)
with cards.container(border=True, height="stretch"):
    st.header("Deployment", anchor=False)
    deploy_form(app)
    watch_serving()
with cards.container(border=True, height="stretch"):
    st.header("Endpoint", anchor=False)
    endpoint_card(app, cost)

st.header("Jobs", anchor=False)
if training.jobs(app):
    jobs_panel(app)
else:
    st.info("No training jobs yet. Press **Start training**; the job and its log appear here.", icon=":material/info:")
next_step("workflow", "Classify images with the endpoint")
