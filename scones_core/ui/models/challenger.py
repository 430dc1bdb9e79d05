"""The running retraining, or challenger and champion, or the next step towards a challenger."""

import streamlit as st

from scones_core.domain.comparison import Comparison
from scones_core.domain.models import ModelVersion
from scones_core.errors import NotFound
from scones_core.services import App, deployment, etl, held_out, retraining, training
from scones_core.services.app import Progress
from scones_core.ui.models.decision import decision
from scones_core.ui.shell import navigation
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.comparison import comparison_view, held_out_view
from scones_core.ui.shell.model_charts import metric_curve
from scones_core.ui.shell.model_images import differing_images
from scones_core.ui.shell.session import get_background, shown_errors
from scones_core.ui.shell.task_progress import watch
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.training_log import EVERY, show_log
from scones_core.ui.shell.widgets import status_badge


def challenge(app: App) -> None:
    """The running retraining, the comparison with the promote button, or a hint."""
    if running := _running(app):
        st.fragment(run_every=EVERY)(_follow)(app, running)
        return
    _last_failure(app)
    serving = deployment.in_service(app)
    champion, challenger = serving.champion, serving.challenger
    if champion and challenger:
        with shown_errors():
            _compared(app, champion, challenger, key="contest")
        decision(app, challenger, champion)
    elif champion:
        st.markdown(f"**{champion.id}** is in service and has no challenger. Review captured images, then retrain.")
        navigation.link("review", "Review images")
    else:
        st.markdown("No model is in service yet. Deploy one; the next trained model becomes its challenger.")
        navigation.link("train", "Deploy a model")


def _last_failure(app: App) -> None:
    last = next(iter(training.jobs(app)), None)
    if last is None:
        return
    record = training.records(app).get(last.name)
    reason = last.failure_reason or (record.failure if record else None)
    if reason:
        st.error(f"The last training job produced no model. {plain(reason)}", icon=":material/error:")


def _compared(
    app: App, old: ModelVersion, new: ModelVersion, *, key: str, roles: tuple[str, str] = ("Champion", "Challenger")
) -> None:
    """Both on the test images of the newer one's dataset version; a button to evaluate them if that is missing."""
    try:
        found = retraining.comparison(app, old, new)
    except NotFound as missing:
        st.info(plain(missing), icon=":material/info:")
        task = f"evaluate_{old.id}_{new.id}"
        action_button(
            f"Evaluate both on the test images of {new.dataset}",
            lambda: _evaluate(app, task, old, new),
            key=task,
            icon=":material/labs:",
        )
        watch(task)
        return
    comparison_view(found, old.id, new.id, key=key, roles=roles, test_set=etl.get(app, new.dataset).test_set)
    with shown_errors():
        if trained := _held_out(app, str(app.settings.home), old, new):
            held_out_view(trained, old.id, new.id)
    differing_images(app, old, new, key=key)


@st.cache_data(show_spinner=False, max_entries=8, hash_funcs={ModelVersion: lambda model: model.number})
def _held_out(_app: App, home: str, old: ModelVersion, new: ModelVersion) -> Comparison | None:
    """Kept, as it is read from two artifacts."""
    return held_out.comparison(_app, old, new)


def _evaluate(app: App, task: str, *models: ModelVersion) -> None:
    def work(_progress: Progress) -> None:
        for model in models:
            training.evaluate(app, model, models[-1].dataset)

    get_background().start(task, "Evaluating", work)


def compare(app: App, one: ModelVersion, other: ModelVersion) -> None:
    """A comparison of any two versions, the older one first."""
    old, new = sorted((one, other), key=lambda model: model.number)
    with shown_errors():
        _compared(app, old, new, key="any", roles=("Model", "Model"))


def _running(app: App) -> str | None:
    jobs = training.jobs(app)
    running = [job.name for job in jobs if not job.status.ended]
    return next(iter(running + training.being_registered(app, jobs)), None)


def _follow(app: App, name: str) -> None:
    job = training.job(app, name)
    evaluating = name in training.being_registered(app, [job])
    if job.status.ended and not evaluating:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Training job `{name}`", width="content")
        status_badge(job.status)
        if evaluating:
            st.caption("The model is being evaluated on the test images.")
    if job.metrics:
        metric_curve(job.metrics, key=f"challenge_{name}")
    show_log(training.log(app, name), last=8)
