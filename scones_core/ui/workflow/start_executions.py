"""Executions in the background, one per chosen image."""

import uuid

import streamlit as st

from scones_core.ports import ExecutionStatus
from scones_core.services import App, classification
from scones_core.services.classification import Classified
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.session import get_background
from scones_core.ui.workflow.execution_table import forget_chosen
from scones_core.ui.workflow.images_input import ChosenImages, forget_choice

_SESSION = "workflow_session"


def task_name() -> str:
    """The background task that runs this session's executions."""
    return f"classify-{st.session_state.setdefault(_SESSION, uuid.uuid4().hex)}"


def start_executions(app: App, chosen: ChosenImages, workers: int) -> None:
    """Start one execution per chosen image in the background. Raises BadInput, and Conflict while others run."""
    keys = chosen.keys()
    tasks, name = get_background(), task_name()
    tasks.start(
        name,
        "Classifying",
        lambda progress: classification.classify(
            app, keys, workers=workers, progress=progress, go_on=lambda: tasks.goes_on(name)
        ),
    )
    forget_choice()
    forget_chosen()


def are_running() -> bool:
    """Whether this session's executions are running."""
    task = get_background().get(task_name())
    return task is not None and task.running


def stop_button() -> None:
    """Starts no further execution; those that run are finished."""
    task = get_background().get(task_name())
    if task and task.running:
        action_button("Stop", task.stop, key="stop_executions", icon=":material/stop:", disabled=task.asked_to_stop)


def outcome() -> None:
    """Results of the executions this session started last, once they have ended."""
    task = get_background().get(task_name())
    if task is None or task.running or task.error:
        return
    told: list[Classified] = task.result
    low = sum(one.error == classification.LOW_CONFIDENCE for one in told)
    accepted = sum(one.status == ExecutionStatus.SUCCEEDED for one in told)
    failed = len(told) - accepted - low
    ended = (
        f"{len(told)} execution{'' if len(told) == 1 else 's'} ended: {accepted} accepted, {low} with low confidence"
    )
    if failed:
        st.warning(f"{ended}, {failed} failed otherwise. Choose one below to see why.", icon=":material/warning:")
    else:
        st.success(f"{ended}.", icon=":material/task_alt:")
