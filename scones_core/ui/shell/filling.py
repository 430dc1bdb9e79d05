"""What a page shows while it is empty: why, and here the one step that comes next, until the page is filled."""

import streamlit as st

from scones_core.services import App, capture, classification, deployment, etl, training
from scones_core.services.app import Progress
from scones_core.ui.data.load_form import load_form
from scones_core.ui.overview.demo_view import open_demo_button
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.background_deploy import watch_serving
from scones_core.ui.shell.session import demo_home, get_background, in_demo
from scones_core.ui.shell.task_progress import watch
from scones_core.ui.shell.training_log import EVERY, show_log
from scones_core.ui.train.deploy_form import deploy_form
from scones_core.ui.train.jobs import start_form

IMAGES = 20
_CLASSIFY = "first_images"


def empty_page(app: App, icon: str, text: str) -> None:
    """The page is empty: `text` says what belongs here; below it the next step of the loop, to take on this page."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f":primary[:material/{icon}:]", width="content")
        st.markdown(text, width="content", text_alignment="center")
        if demo_home().exists and not in_demo():
            open_demo_button()
        with st.container(border=True, width=640):
            _step(app)
        st.space("small")


def _step(app: App) -> None:
    if etl.current(app) is None:
        st.header("Load images", anchor=False)
        load_form(app, key="empty")
    elif not training.models(app):
        st.header("Train a model", anchor=False)
        _train(app)
    elif deployment.endpoint(app) is None:
        st.header("Deploy the model", anchor=False)
        deploy_form(app)
        watch_serving()
    else:
        st.header("Classify images", anchor=False)
        _classify(app)


def _train(app: App) -> None:
    """The form, or the job that runs."""
    jobs = training.jobs(app)
    if jobs and (not jobs[0].status.ended or training.being_registered(app, jobs[:1])):
        st.fragment(run_every=EVERY)(_job)(app, jobs[0].name)
        return
    if jobs and jobs[0].failure_reason:
        st.error(jobs[0].failure_reason, icon=":material/error:")
    start_form(app)


def _job(app: App, name: str) -> None:
    job = training.job(app, name)
    if job.status.ended and not training.being_registered(app, [job]):
        st.rerun()
    st.markdown(":material/progress_activity: Training…" if not job.status.ended else "Evaluating the model…")
    with st.container(height=160, border=False, autoscroll=True):
        show_log(training.log(app, name))


def _classify(app: App) -> None:
    """A button that sends a few images and reads what was captured."""
    task = get_background().get(_CLASSIFY)
    action_button(
        f"Classify {IMAGES} images",
        lambda: _start(app),
        key="classify_first",
        icon=":material/play_arrow:",
        primary=True,
        disabled=task is not None and task.running,
    )
    watch(_CLASSIFY)


def _start(app: App) -> None:
    def work(progress: Progress) -> None:
        classification.classify(app, classification.sample_keys(app, IMAGES), progress=progress)
        capture.ingest(app)

    get_background().start(_CLASSIFY, "Classifying", work)
