"""The endpoint: model in service, cost, deletion."""

import streamlit as st

from scones_core.ports import Endpoint
from scones_core.services import App, deployment
from scones_core.services.costs import EndpointCost
from scones_core.ui.shell.actions import confirm_or_cancel
from scones_core.ui.shell.costs import endpoint_cost
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import time_text
from scones_core.ui.shell.user import actor_input
from scones_core.ui.shell.widgets import status_badge, trial_sentence


def endpoint_card(app: App, cost: EndpointCost | None) -> None:
    """The model in service, the cost, and the delete button."""
    endpoint = deployment.endpoint(app)
    if endpoint is None:
        st.markdown("No endpoint yet. Deploy a trained model to classify images.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(endpoint.name)}**", width="content")
        status_badge(endpoint.status)
    if endpoint.failure_reason:
        st.error(plain(endpoint.failure_reason), icon=":material/error:")
    grid = st.grid(2, min_column_width=120)
    grid.metric("Model in service", endpoint.config.model)
    grid.metric("Data capture", f"{endpoint.config.capture_percentage}%")
    st.caption(f"Variant {endpoint.config.variant}, updated {time_text(endpoint.updated)}")
    if endpoint.trial:
        st.caption(f"{trial_sentence(endpoint.trial)} Deploying a model ends the trial.")
    endpoint_cost(cost)
    if st.button("Delete endpoint", key="delete_endpoint", icon=":material/delete:"):
        confirm_deletion(app, endpoint)


@st.dialog("Delete the endpoint", icon=":material/delete:")
def confirm_deletion(app: App, endpoint: Endpoint) -> None:
    """Confirmation before the endpoint is deleted."""
    st.write(
        f"**{endpoint.name}** and the workflow stop working until a model is deployed again. Captured inferences, "
        "labels and model versions are kept."
    )
    actor = actor_input()
    confirm_or_cancel(
        f"Yes, delete {endpoint.name}",
        lambda: _delete(app, endpoint.name, actor),
        key="delete_endpoint",
        icon=":material/delete:",
        disabled=not actor,
    )


def _delete(app: App, name: str, actor: str) -> str:
    deployment.delete(app, actor=actor)
    return f"{name} was deleted"
