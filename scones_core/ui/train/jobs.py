"""Training jobs: start form, table, details."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from scones_core.domain.models import JobRecord, JobState, ModelVersion
from scones_core.ports import TrainingJob
from scones_core.services import App, etl, registration, training
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.costs import training_cost
from scones_core.ui.shell.model_charts import confusion, figures, metric_curve, recall_table
from scones_core.ui.shell.model_images import cell_images
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import time_text
from scones_core.ui.shell.training_log import EVERY, JOB, select_job, show_log
from scones_core.ui.shell.widgets import accuracy_text, duration, generated_badge, status_badge


def start_form(app: App) -> None:
    """Dataset version, seed, cost, button."""
    versions = etl.versions(app)
    current = etl.get(app)
    labels = {v.id: f"{v.id} · {'current' if v.id == current.id else f'{v.train:,} train'}" for v in versions}
    dataset = st.selectbox(
        "Dataset version",
        list(labels),
        index=list(labels).index(current.id),
        format_func=lambda id: labels[id],
        key="train_dataset",
    )
    seed = st.number_input("Seed", 0, 2**31 - 1, 0, help="The same seed and dataset give the same model.", key="seed")
    chosen = _options(app)
    training_cost(app)
    action_button(
        "Start training",
        lambda: _start(app, dataset, int(seed), chosen),
        key="start_training",
        icon=":material/play_arrow:",
        primary=True,
    )
    generated_badge(etl.get(app, dataset))


def _options(app: App) -> dict[str, str]:
    """Hyperparameters of the embedded classifier; the built-in algorithm of SageMaker has its own."""
    if not training.embedded_classifier(app):
        return {}
    chosen = {}
    with st.popover("Options", icon=":material/tune:"):
        if st.toggle(
            "Balance the classes",
            help="Images of rare classes weigh more, so that each class weighs the same.",
            key="train_balanced",
        ):
            chosen["class_weight"] = "balanced"
        if st.toggle(
            "Learn from changed copies",
            help="Also learn from a darker, noisier or blurred copy of each image. On 1,000 real images, by "
            "cross-validation: in the dark .94 instead of .84 accuracy, blurred .88 instead of .78, unchanged .948 "
            "instead of .953. Training takes twice as long.",
            key="train_copies",
        ):
            chosen["augmentation"] = "changed-copies"
    return chosen


def _start(app: App, dataset: str, seed: int, chosen: Mapping[str, str]) -> str:
    job = training.start(app, dataset=dataset, seed=seed, hyperparameters=chosen)
    select_job(job.name)
    return f"Training job {job.name} started"


def jobs_panel(app: App) -> None:
    """All jobs and the selected one; refreshes every second while a job runs or its model is evaluated."""
    running = _going_on(app, training.jobs(app))
    st.fragment(run_every=EVERY if running else None)(_panel)(app, running)


def _panel(app: App, was_running: bool) -> None:
    jobs = training.jobs(app)
    if was_running and not _going_on(app, jobs):
        st.rerun()  # the rest of the page shows its model
    models = {model.training_job: model for model in training.models(app)}
    name = _table(app, jobs, models)
    job_detail(app, training.job(app, name), models.get(name))


def _going_on(app: App, jobs: Sequence[TrainingJob]) -> bool:
    return any(not job.status.ended for job in jobs) or bool(training.being_registered(app, jobs))


def _table(app: App, jobs: Sequence[TrainingJob], models: dict[str, ModelVersion]) -> str:
    """The jobs, newest first; the name of the selected one, by default the newest."""
    names = [job.name for job in jobs]
    wanted = st.session_state.get(JOB)
    marked = names.index(wanted) if wanted in names else 0
    records = training.records(app)
    rows = [
        {
            "Job": job.name,
            "State": "Not registered" if _failed(records.get(job.name)) else str(job.status),
            "Model": models[job.name].id if job.name in models else "–",
            "Accuracy": accuracy_text(models[job.name].accuracy) if job.name in models else "–",
            "Dataset": records[job.name].dataset if job.name in records else "–",
            "Seed": job.hyperparameters.get("seed", "–"),
            "Created": time_text(job.created),
            "Duration": duration(job.seconds),
        }
        for job in jobs
    ]
    event = st.dataframe(
        pd.DataFrame(rows),
        key=f"jobs-{names[0]}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [marked]}},
        height=min(250, 38 + 35 * len(rows)),
        column_config={
            "Accuracy": st.column_config.TextColumn(help="On the test images of the job's dataset version.")
        },
        alt="Training jobs, newest first",
    )
    chosen: list[int] = event["selection"]["rows"]
    name = names[chosen[0] if chosen else marked]
    select_job(name)
    return name


def job_detail(app: App, job: TrainingJob, model: ModelVersion | None) -> None:
    """State, stop button, failure, metric curve, log, and the model's figures."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        status_badge(job.status)
        took = f", took {duration(job.seconds)}" if job.seconds is not None else ""
        st.caption(f"created {time_text(job.created)}{took}", width="content")
        if not job.status.ended:
            action_button(
                "Stop training",
                lambda: training.stop(app, job.name),
                key=f"stop_{job.name}",
                icon=":material/stop_circle:",
                disabled=job.status == "Stopping",
            )
    if job.failure_reason:
        st.error(plain(job.failure_reason), icon=":material/error:")
    _registration_failure(app, training.records(app).get(job.name))
    curve, log = st.columns([3, 2])
    with curve:
        if job.metrics:
            metric_curve(job.metrics, key=f"curve_{job.name}")
        else:
            st.info("No metrics logged yet.", icon=":material/show_chart:")
    with log, st.container(height=250, border=False, autoscroll=True):  # opens at the end
        show_log(training.log(app, job.name))
    if model:
        _model_result(app, model)
    elif job.name in training.being_registered(app, [job]):
        st.info("The model is being evaluated on the test images.", icon=":material/hourglass_top:")


def _failed(record: JobRecord | None) -> bool:
    return record is not None and record.state is JobState.FAILED


def _registration_failure(app: App, record: JobRecord | None) -> None:
    """Why a completed job has no model version, and a retry button."""
    if record is None or record.failure is None:
        return
    st.error(plain(record.failure), icon=":material/error:")
    if _failed(record):
        action_button(
            "Try again",
            lambda: registration.try_again(app, record.name),
            key=f"try_again_{record.name}",
            icon=":material/replay:",
        )


def _model_result(app: App, model: ModelVersion) -> None:
    st.header(f"Model version {model.id} on the test images", anchor=False)
    matrix, numbers = st.columns([2, 3])
    with matrix:
        clicked = confusion(model.metrics["confusion"], model.classes, key=f"confusion_{model.id}")
    with numbers:
        figures(model.metrics)
        recall_table(model.metrics["confusion"], model.classes)
        st.caption(f"Artifact SHA-256 `{model.artifact_sha256[:16]}…`, dataset version `{model.dataset}`")
    cell_images(app, model, clicked)
