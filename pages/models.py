"""Models: the registry, champion and challenger, promotion and rollback."""

import streamlit as st

from scones_core.services import deployment, training
from scones_core.ui.models.challenger import challenge, compare
from scones_core.ui.models.decision import rollback
from scones_core.ui.models.models_view import history_table, lineage, registry_table, retrain_form
from scones_core.ui.models.trial_view import trial_section
from scones_core.ui.shell.background_deploy import watch_serving
from scones_core.ui.shell.filling import empty_page
from scones_core.ui.shell.session import get_app
from scones_core.ui.shell.widgets import page_header

page_header(
    "Models", "All model versions and where they came from. Retrain from reviewed labels, compare, promote, roll back."
)
app = get_app()
models = training.models(app)

if not models:
    empty_page(app, "deployed_code", "No models yet.")
    st.stop()

retrain, contest = st.columns([1, 2])
with retrain.container(border=True, height="stretch"):
    st.header("Retrain", anchor=False)
    retrain_form(app)
with contest.container(border=True, height="stretch"):
    st.header("Challenger and champion", anchor=False)
    challenge(app)
    trial_section(app)
    watch_serving()

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.header("Model versions", anchor=False, width="content")
    rollback(app)
chosen = registry_table(app, models)
if len(chosen) == 1:
    lineage(app, chosen[0])
elif len(chosen) == 2:
    compare(app, *chosen)
else:
    st.info("Select one version to see its lineage, or two to compare them.", icon=":material/compare_arrows:")
st.header("Deployments", anchor=False)
history_table(deployment.history(app))
