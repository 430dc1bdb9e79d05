"""Models: the registry, champion and challenger, promotion and rollback."""

import streamlit as st

from scones_core.services import deployment, training
from scones_core.ui.models.challenger import challenge, compare_any
from scones_core.ui.models.models_view import history_table, lineage, registry_table, retrain_form, rollback
from scones_core.ui.models.trial_view import trial_section
from scones_core.ui.shell.background_deploy import watch_serving
from scones_core.ui.shell.session import get_app
from scones_core.ui.shell.widgets import empty_state, page_header

page_header(
    "Models", "All model versions and where they came from. Retrain from reviewed labels, compare, promote, roll back."
)
app = get_app()
models = training.models(app)

if not models:
    empty_state("deployed_code", "No models yet. Start a training job first.", "train", "Train a model")
    st.stop()

retrain, contest = st.columns([1, 2])
with retrain.container(border=True, height="stretch"):
    st.subheader("Retrain", anchor=False)
    retrain_form(app)
with contest.container(border=True, height="stretch"):
    st.subheader("Challenger and champion", anchor=False)
    challenge(app)
    trial_section(app)
    watch_serving()

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.subheader("Model versions", anchor=False, width="content")
    rollback(app)
registry_table(app, models)
by_id = {model.id: model for model in models}
lineage(app, by_id[st.selectbox("Model version", list(by_id), key="model_version")])

with st.expander("Compare any two versions", icon=":material/compare_arrows:"):
    compare_any(app, models)
st.subheader("Deployments", anchor=False)
history_table(deployment.history(app))
