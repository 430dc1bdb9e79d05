"""Widgets every page uses: heading, badges, formatted numbers and times."""

from typing import Literal

import streamlit as st

from scones_core.domain.datasets import DatasetVersion
from scones_core.domain.models import Accuracy, Approval
from scones_core.ports import JobStatus, Trial
from scones_core.ui.shell import navigation
from scones_core.ui.shell.actions import show_outcome
from scones_core.ui.shell.navigation import PageName

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray", "grey", "primary"]

_JOB_COLOURS: dict[str, tuple[Colour, str]] = {
    JobStatus.PENDING: ("gray", ":material/schedule:"),
    JobStatus.IN_PROGRESS: ("blue", ":material/progress_activity:"),
    JobStatus.COMPLETED: ("green", ":material/check_circle:"),
    JobStatus.FAILED: ("red", ":material/error:"),
    JobStatus.STOPPING: ("orange", ":material/stop_circle:"),
    JobStatus.STOPPED: ("orange", ":material/stop_circle:"),
    "InService": ("green", ":material/check_circle:"),
    "Creating": ("blue", ":material/progress_activity:"),
    "Updating": ("blue", ":material/progress_activity:"),
}
_APPROVALS: dict[Approval, tuple[str, Colour, str]] = {
    Approval.PENDING: ("Awaiting approval", "orange", ":material/hourglass_top:"),
    Approval.APPROVED: ("Approved", "green", ":material/verified:"),
    Approval.REJECTED: ("Rejected", "red", ":material/block:"),
}


def page_header(title: str, about: str) -> None:
    """The page's title, its purpose in one sentence, and the result of the last action; the first call of a page."""
    st.title(title, anchor=False)
    st.caption(about)
    show_outcome()


def generated_badge(version: DatasetVersion) -> None:
    """Marks generated images."""
    if version.generated:
        st.badge(
            "Generated sample", icon=":material/auto_awesome:", color="violet", help="Drawn by a program, not photos."
        )


def status_badge(status: str) -> None:
    """The state of a training job or an endpoint."""
    colour, icon = _JOB_COLOURS.get(status, ("gray", ":material/help:"))
    st.badge(str(status), icon=icon, color=colour)


def approval_badge(approval: Approval) -> None:
    text, colour, icon = _APPROVALS[approval]
    st.badge(text, icon=icon, color=colour)


def approval_text(approval: Approval) -> str:
    return _APPROVALS[approval][0]


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def signed(value: float) -> str:
    """With sign and one decimal."""
    return f"{value:+.1f}"


def percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}%}"


def sent_count(dataset: DatasetVersion) -> int:
    """Number of images available to send through the workflow."""
    return dataset.pool or dataset.test


def sent_images_text(dataset: DatasetVersion) -> str:
    """Such as `200 pool images`; without a pool, `200 test images`."""
    return f"{sent_count(dataset):,} {dataset.sent_split} images"


def no_pool_note(dataset: DatasetVersion) -> None:
    """A note that test images are sent, if there is no pool."""
    if not dataset.pool:
        st.caption(
            ":material/info: This dataset has no pool, so test images are sent. They are never trained on: their "
            "reviews correct test labels."
        )


def accuracy_text(accuracy: Accuracy) -> str:
    """Such as `90.5% of 200`."""
    return f"{percent(accuracy.value)} of {accuracy.images:,}"


def interval_text(accuracy: Accuracy) -> str:
    """The number of images behind an accuracy, and its interval."""
    low, high = percent(accuracy.low), percent(accuracy.high)
    return f"of {accuracy.images:,} test images; 95% interval {low} to {high}"


def trial_sentence(trial: Trial) -> str:
    """The model on trial, its share of the traffic, its variant."""
    return f"On trial: {trial.config.model} gets {percent(trial.share, 0)} of the traffic, as {trial.config.variant}."


def next_step(page: PageName | str, label: str) -> None:
    """Link to the next page of the loop, at the foot of a page."""
    st.divider()
    with st.container(horizontal=True, horizontal_alignment="right"):
        navigation.link(page, f"{label} →")
