"""The contest: the retraining that is under way, or the challenger against the champion, or how to get one."""

from collections.abc import Sequence

import streamlit as st

from scones_core.domain.models import ModelVersion
from scones_core.services import App, deployment, retraining, training
from scones_core.ui import pages
from scones_core.ui.charts_model import metric_curve
from scones_core.ui.comparison_view import comparison_view
from scones_core.ui.jobs import EVERY, show_log
from scones_core.ui.models_view import promotion
from scones_core.ui.session import shown_errors
from scones_core.ui.widgets import status_badge


def challenge(app: App) -> None:
    """What there is to decide."""
    if running := _running(app):
        st.fragment(run_every=EVERY)(_follow)(app, running)
        return
    last = next(iter(training.jobs(app)), None)
    if last and last.failure_reason:
        st.error(f"The last training job failed: {last.failure_reason}", icon=":material/error:")
    champion, challenger = deployment.champion(app), deployment.challenger(app)
    if champion and challenger:
        comparison_view(retraining.comparison(app, champion, challenger), champion.id, challenger.id, key="contest")
        promotion(app, challenger, champion)
    elif champion:
        st.markdown(f"**{champion.id}** is in service and nothing challenges it. Review captured images, then retrain.")
        pages.link("review", "Review images")
    else:
        st.markdown("No model is in service yet. Deploy one; the next that is trained becomes its challenger.")
        pages.link("train", "Deploy a model")


def compare_any(app: App, models: Sequence[ModelVersion]) -> None:
    """Two versions of one's choice, as champion and challenger are compared."""
    ids = {model.id: model for model in models}
    left, right = st.columns(2)
    first = left.selectbox("Compare", list(ids), index=len(ids) - 1, key="compare_first")
    second = right.selectbox("with", list(ids), key="compare_second")
    if first == second:
        st.caption("Choose two different versions.")
        return
    with shown_errors():
        comparison = retraining.comparison(app, ids[first], ids[second])
        comparison_view(comparison, first, second, key="any", roles=("Model", "Model"))


def _running(app: App) -> str | None:
    running = [job.name for job in training.jobs(app) if not job.status.ended]
    return next(iter(running + training.measuring(app)), None)


def _follow(app: App, name: str) -> None:
    job = training.job(app, name)
    measuring = name in training.measuring(app)
    if job.status.ended and not measuring:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Training job `{name}`", width="content")
        status_badge(job.status)
        if measuring:
            st.caption("The model is being measured on the validation images.")
    if job.metrics:
        metric_curve(job.metrics, key=f"challenge_{name}")
    show_log(training.log(app, name), last=8)
