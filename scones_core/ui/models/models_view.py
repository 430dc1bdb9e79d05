"""Model versions: registry, lineage, promotion and rollback."""

from collections.abc import Callable, Sequence
from typing import Literal

import pandas as pd
import streamlit as st

from scones_core.domain.comparison import Comparison, Verdict
from scones_core.domain.models import Deployment, ModelVersion
from scones_core.errors import SconesError
from scones_core.ports import Endpoint
from scones_core.services import App, deployment, etl, retraining
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.background_deploy import change_serving
from scones_core.ui.shell.comparison import verdict_view
from scones_core.ui.shell.model_charts import confusion, figures
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.training_log import select_job
from scones_core.ui.shell.user import user
from scones_core.ui.shell.widgets import (
    approval_badge,
    approval_text,
    duration,
    generated_badge,
    interval_text,
    percent,
    utc,
)


def registry_table(app: App, models: Sequence[ModelVersion]) -> None:
    """All versions, newest first."""
    service = deployment.in_service(app)
    roles = {m.id: role for m, role in ((service.champion, "Champion"), (service.challenger, "Challenger")) if m}
    datasets = {version.id: version for version in etl.versions(app)}
    rows = [
        {
            "Model": model.id,
            "Role": roles.get(model.id, ""),
            "Approval": approval_text(model.approval),
            "Accuracy": model.accuracy.value,
            "95 % interval": f"{percent(model.accuracy.low)} to {percent(model.accuracy.high)}",
            "Test images": model.accuracy.images,
            "Test set": datasets[model.dataset].test_set if model.dataset in datasets else "–",
            "Log loss": model.metrics["log_loss"],
            "ECE": model.metrics["ece"],
            "Dataset": model.dataset,
            "Created": utc(model.created),
            "Training": duration(model.seconds),
            "Artifact SHA-256": model.artifact_sha256[:12],
        }
        for model in models
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "Approval": st.column_config.TextColumn(width=130),
            "Accuracy": st.column_config.NumberColumn(
                format="percent", help="On the test images of the model's own dataset version: see Test set."
            ),
            "Log loss": st.column_config.NumberColumn(format="%.3f"),
            "ECE": st.column_config.NumberColumn(format="%.3f"),
        },
        alt="Model versions with role, approval and figures, newest first",
    )
    if len({row["Test set"] for row in rows}) > 1:
        st.caption(
            ":material/warning: These models were measured on different test sets: only figures on the same test set "
            "are comparable. **Compare any two versions** measures both on the same images."
        )


def lineage(app: App, model: ModelVersion) -> None:
    """A version's origin, figures, and times in service."""
    dataset = etl.get(app, model.dataset)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        approval_badge(model.approval)
        generated_badge(dataset)
        st.caption(f"created {utc(model.created)}", width="content")
    st.caption(f"Accuracy {percent(model.accuracy.value)} {interval_text(model.accuracy)}")
    figures(model.metrics)
    facts, matrix = st.columns([3, 2])
    with facts:
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
            "In service": _service_times(model, deployment.history(app)),
        }
        st.table(pd.DataFrame(rows.items(), columns=["", " "]), border="horizontal", hide_index=True, hide_header=True)
    with matrix:
        confusion(model.metrics["confusion"], model.classes, key=f"lineage_{model.id}")


def _service_times(model: ModelVersion, history: Sequence[Deployment]) -> str:
    times = [
        f"{_action(d)} by {plain(d.actor or 'someone')}, {utc(d.time)}" for d in history if d.model == model.number
    ]
    return "; ".join(times) or "never"


def _action(deployment: Deployment) -> str:
    return f"{deployment.action} ({percent(deployment.share, 0)})" if deployment.share else str(deployment.action)


def history_table(history: Sequence[Deployment]) -> None:
    """Deployments, with action and user, newest first."""
    rows = [
        {"Time": utc(d.time), "Action": _action(d), "Model": f"v{d.model}", "By": d.actor or "–"}
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


def promotion(app: App, challenger: ModelVersion, champion: ModelVersion) -> None:
    """The button that opens the confirmation; prominent only if the challenger is better."""
    comparison = _comparison(app, champion, challenger)
    better = comparison is not None and comparison.verdict is Verdict.BETTER
    kind: Literal["primary", "secondary"] = "primary" if better else "secondary"
    if st.button(f"Promote {challenger.id}", key=f"promote_{challenger.id}", icon=":material/publish:", type=kind):
        confirm_promotion(app, challenger, champion)


def _comparison(app: App, champion: ModelVersion, challenger: ModelVersion) -> Comparison | None:
    """None if the two have not been evaluated on the same test images."""
    try:
        return retraining.comparison(app, champion, challenger)
    except SconesError:
        return None


@st.dialog("Promote the challenger", icon=":material/publish:")
def confirm_promotion(app: App, challenger: ModelVersion, champion: ModelVersion) -> None:
    """Confirmation before `challenger` replaces `champion`, with the verdict once more."""
    st.write(f"**{challenger.id}** replaces **{champion.id}** in service. You can roll back afterwards.")
    verdict_view(_comparison(app, champion, challenger), champion.id, challenger.id)
    actor = user()
    action_button(
        f"Yes, promote {challenger.id}",
        lambda: _served(f"Promoting {challenger.id}", lambda: deployment.promote(app, challenger.id, actor=actor)),
        key=f"confirm_promote_{challenger.id}",
        icon=":material/publish:",
        primary=True,
    )


def rollback(app: App) -> None:
    """The button that opens the confirmation; disabled if there is no earlier model."""
    back_to = deployment.previous(app)
    label = f"Roll back to {back_to}" if back_to else "Roll back"
    why = None if back_to else "No earlier model to roll back to."
    if st.button(label, key="rollback", icon=":material/undo:", disabled=back_to is None, help=why) and back_to:
        confirm_rollback(app, back_to)


@st.dialog("Roll back", icon=":material/undo:")
def confirm_rollback(app: App, back_to: str) -> None:
    """Confirmation before an earlier model returns to service."""
    st.write(f"**{back_to}** returns to service; the current model is marked as rejected.")
    actor = user()
    action_button(
        f"Yes, roll back to {back_to}",
        lambda: _served(f"Rolling back to {back_to}", lambda: deployment.rollback(app, actor=actor)),
        key=f"confirm_rollback_{back_to}",
        icon=":material/undo:",
        primary=True,
    )


def _served(title: str, change: Callable[[], Endpoint]) -> str:
    return change_serving(title, change, lambda endpoint: f"{endpoint.config.model} is now in service")
