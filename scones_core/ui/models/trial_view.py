"""Trial of a challenger on live traffic: start, figures of both variants, share, end."""

import pandas as pd
import streamlit as st

from scones_core.domain.models import ModelVersion
from scones_core.ports import Endpoint, Trial
from scones_core.services import App, deployment, monitoring, training
from scones_core.services.monitoring import VariantFigures
from scones_core.ui.models.decision import decision
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.background_deploy import change_serving
from scones_core.ui.shell.costs import hosting_cost
from scones_core.ui.shell.ingest import ingest_on_opening
from scones_core.ui.shell.times import time_text
from scones_core.ui.shell.user import user
from scones_core.ui.shell.variant_figures import figures_row
from scones_core.ui.shell.widgets import percent, trial_sentence


def trial_section(app: App) -> None:
    """The running trial, or a form to start one if there is a challenger; else nothing."""
    service = deployment.in_service(app)
    serving = service.endpoint
    if serving and serving.trial:
        _under_way(app, serving, serving.trial)
    elif challenger := service.challenger:
        _start_form(app, challenger)


def _start_form(app: App, challenger: ModelVersion) -> None:
    st.markdown("### Try it on live traffic")
    st.caption(
        f"{challenger.id} gets this share of the traffic, the champion the rest. Change the share or end the "
        "trial at any time."
    )
    hosting_cost(app)
    actor = user()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        share = _share_slider(0.1, key="trial_share")
        action_button(
            "Start trial",
            lambda: change_serving(
                f"Starting the trial of {challenger.id}",
                lambda: deployment.start_trial(app, challenger.id, share, actor=actor),
                _told,
            ),
            key="start_trial",
            icon=":material/science:",
        )


def _under_way(app: App, serving: Endpoint, trial: Trial) -> None:
    ingest_on_opening(app)
    since = deployment.trial_started(app)
    st.markdown(f"### {trial.config.model} is on trial")
    _comparison(serving, trial, {row.variant: row for row in monitoring.by_variant(app, since=since)})
    st.caption(
        f"Captured since {time_text(since)}. The figures compare confidence, not accuracy. "
        "Promoting or deploying a model ends the trial."
    )
    actor = user()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        share = _share_slider(trial.share, key=f"trial_share_{trial.config.model}")
        action_button(
            "Change share",
            lambda: change_serving(
                "Changing the share", lambda: deployment.set_trial_share(app, share, actor=actor), _told
            ),
            key="change_share",
            icon=":material/tune:",
            disabled=share == trial.share,
        )
        action_button(
            "End trial",
            lambda: change_serving("Ending the trial", lambda: deployment.end_trial(app, actor=actor), _told),
            key="end_trial",
            icon=":material/stop:",
        )
    service = deployment.in_service(app)
    challenger, champion = service.challenger, service.champion
    if champion and (challenger is None or challenger.id != trial.config.model):
        decision(app, training.model(app, trial.config.model), champion)


def _comparison(serving: Endpoint, trial: Trial, figures: dict[str, VariantFigures]) -> None:
    served = (("Champion", serving.config, 1 - trial.share), ("Challenger", trial.config, trial.share))
    columns = {
        f"{role} {config.model}": {"Share": percent(share, 0), **figures_row(figures.get(config.variant))}
        for role, config, share in served
    }
    table = pd.DataFrame(columns).rename_axis("").reset_index()  # transposed, to fit a phone
    st.table(table, border="horizontal", hide_index=True)


def _share_slider(value: float, *, key: str) -> float:
    least, most = round(100 * deployment.LEAST_SHARE), round(100 * deployment.MOST_SHARE)
    return st.slider("Share of the traffic", least, most, round(100 * value), format="%d%%", key=key) / 100


def _told(endpoint: Endpoint) -> str:
    return trial_sentence(endpoint.trial) if endpoint.trial else f"{endpoint.config.model} gets all traffic again"
