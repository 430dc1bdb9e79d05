"""The deployment form."""

import streamlit as st

from scones_core.services import App, deployment, training
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.background_deploy import change_serving
from scones_core.ui.shell.costs import hosting_cost
from scones_core.ui.shell.user import user
from scones_core.ui.shell.widgets import accuracy_text


def deploy_form(app: App) -> None:
    """Model version, data-capture percentage, cost, button."""
    models = training.models(app)
    serving = deployment.endpoint(app)
    if not models:
        st.caption("No trained model yet. Start a training job first.")
        return
    labels = {m.id: f"{m.id} · right on {accuracy_text(m.accuracy)}" for m in models}
    model = st.selectbox("Model version", list(labels), format_func=lambda id: labels[id], key="deploy_model")
    percentage = st.slider(
        "Data capture, percent of inferences",
        0,
        100,
        serving.config.capture_percentage if serving else 100,
        step=5,
        help="Monitor and Review show only captured inferences.",
        key="capture_percentage",
    )
    hosting_cost(app)
    action_button(
        "Deploy",
        lambda: _deploy(app, model, percentage),
        key="deploy",
        icon=":material/rocket_launch:",
        primary=serving is None,
    )


def _deploy(app: App, model: str, percentage: int) -> str:
    actor = user()
    return change_serving(
        f"Deploying {model}",
        lambda: deployment.deploy(app, model, capture_percentage=percentage, actor=actor),
        lambda endpoint: f"{endpoint.name} serves {endpoint.config.model}",
    )
