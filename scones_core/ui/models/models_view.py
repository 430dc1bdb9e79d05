"""Model versions: registry, lineage, promotion and rollback."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from scones_core.domain.metrics import balanced_accuracy
from scones_core.domain.models import Deployment, ModelVersion
from scones_core.services import App, deployment, etl, retraining
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.model_charts import confusion, figures, recall_table
from scones_core.ui.shell.model_images import cell_images
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import time_text
from scones_core.ui.shell.training_log import select_job
from scones_core.ui.shell.widgets import (
    approval_badge,
    approval_text,
    duration,
    generated_badge,
    interval_text,
    percent,
)


def registry_table(app: App, models: Sequence[ModelVersion]) -> list[ModelVersion]:
    """All versions, newest first; returns the selected ones, by default the newest."""
    service = deployment.in_service(app)
    roles = {m.id: role for m, role in ((service.champion, "Champion"), (service.challenger, "Challenger")) if m}
    datasets = {version.id: version for version in etl.versions(app)}
    rows = [
        {
            "Model": model.id,
            "Role": roles.get(model.id, ""),
            "Approval": approval_text(model.approval),
            "Accuracy": 100 * model.accuracy.value,
            "Balanced": 100 * balanced_accuracy(model.metrics["confusion"]),
            "95% interval": f"{percent(model.accuracy.low)} to {percent(model.accuracy.high)}",
            "Test images": model.accuracy.images,
            "Test set": datasets[model.dataset].test_set if model.dataset in datasets else "–",
            "Log loss": model.metrics["log_loss"],
            "ECE": model.metrics["ece"],
            "Dataset": model.dataset,
            "Created": time_text(model.created),
            "Training": duration(model.seconds),
            "Artifact SHA-256": model.artifact_sha256[:12],
        }
        for model in models
    ]
    event = st.dataframe(
        pd.DataFrame(rows),
        key=f"models-{models[0].id}",
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [0]}},
        column_config={
            "Approval": st.column_config.TextColumn(width=130),
            "Accuracy": st.column_config.NumberColumn(
                format="%.1f%%", help="On the test images of the model's own dataset version: see Test set."
            ),
            "Balanced": st.column_config.NumberColumn(
                format="%.1f%%", help="Mean recall of the classes on the same test images."
            ),
            "Log loss": st.column_config.NumberColumn(format="%.3f"),
            "ECE": st.column_config.NumberColumn(format="%.3f"),
        },
        alt="Model versions with role, approval and figures, newest first",
    )
    if len({row["Test set"] for row in rows}) > 1:
        st.caption(
            ":material/warning: These models were measured on different test sets: only figures on the same test set "
            "are comparable. Select two versions to compare them on the same images."
        )
    elif len(rows) > 1:
        st.caption("Select two versions to compare them.")
    chosen: list[int] = event["selection"]["rows"]
    return [models[row] for row in chosen] or [models[0]]


def lineage(app: App, model: ModelVersion) -> None:
    """A version's origin, figures, and times in service."""
    dataset = etl.get(app, model.dataset)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"### {model.id}", width="content")
        approval_badge(model.approval)
        generated_badge(dataset)
        st.caption(f"created {time_text(model.created)}", width="content")
    if model.rejection:
        st.caption(f"Rejected by {plain(model.rejected_by or 'someone')}: {plain(model.rejection)}")
    st.caption(f"Accuracy {percent(model.accuracy.value)} {interval_text(model.accuracy)}")
    figures(model.metrics)
    halves = st.grid(2, min_column_width=380, gap="medium")
    with halves.cell():
        rows = {
            "Dataset version": f"`{dataset.id}` – {plain(dataset.source)}",
            "Parent of the dataset": f"`{dataset.parent}`" if dataset.parent else "none (loaded)",
            "Images": f"{dataset.train:,} train, {dataset.pool:,} pool, {dataset.test:,} test",
            "Labels": f"{dataset.new_labels:,} newly reviewed, {len(dataset.corrections):,} test labels reviewed",
            "Test set": f"`{dataset.test_set}`, {model.accuracy.images:,} images",
            "Classes": plain(", ".join(model.classes)),
            "Training job": f"`{model.training_job}`, {duration(model.seconds)}",
            "Hyperparameters": plain(", ".join(f"{k} {v}" for k, v in model.hyperparameters.items() if k != "classes")),
            "Artifact": f"`{model.artifact_key}`",
            "SHA-256": f"`{model.artifact_sha256}`",
            "In service": service_times(model, deployment.history(app)),
        }
        st.table(pd.DataFrame(rows.items(), columns=["", " "]), border="horizontal", hide_index=True, hide_header=True)
    with halves.cell():
        clicked = confusion(model.metrics["confusion"], model.classes, key=f"lineage_{model.id}")
        recall_table(model.metrics["confusion"], model.classes)
    cell_images(app, model, clicked)


def service_times(model: ModelVersion, history: Sequence[Deployment]) -> str:
    """Each deployment of the model once, with who and when."""
    times = [
        f"{_action(d)} by {plain(d.actor or 'someone')}, {time_text(d.time)}"
        for d in history
        if d.model == model.number
    ]
    return "; ".join(times) or "never"


def _action(deployment: Deployment) -> str:
    return f"{deployment.action} ({percent(deployment.share, 0)})" if deployment.share else str(deployment.action)


def history_table(history: Sequence[Deployment]) -> None:
    """Deployments, with action and user, newest first."""
    rows = [
        {
            "Time": time_text(d.time),
            "Action": _action(d),
            "Model": f"v{d.model}",
            "By": d.actor or "–",
            "Reason": d.reason or "–",
        }
        for d in reversed(history)
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Deployments, newest first")


def retrain_form(app: App) -> None:
    """New labels, minimum, button."""
    labels = retraining.new_labels(app)
    st.metric(
        "New labels since the current dataset version",
        labels,
        help="Reviewed test images and their copies do not count: they correct test labels and are never trained on.",
    )
    least = st.number_input("Minimum new labels", 1, 10_000, 1, key="min_labels")
    action_button(
        "Retrain",
        lambda: _retrain(app, int(least)),
        key="retrain",
        icon=":material/restart_alt:",
        primary=labels >= least,
        disabled=labels < least,
        help=None if labels >= least else f"More reviewed labels needed: {least - labels}.",
    )


def _retrain(app: App, least: int) -> str:
    job = retraining.start(app, min_labels=least)
    select_job(job.name)
    return f"Training job {job.name} started; its model becomes the challenger"
