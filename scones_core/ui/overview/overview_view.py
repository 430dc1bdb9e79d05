"""The Overview page's next step and key figures."""

import streamlit as st

from scones_core.domain.models import Accuracy
from scones_core.services.overview import LoopStatus, Overview
from scones_core.ui.shell.navigation import PageName
from scones_core.ui.shell.widgets import interval_text, percent


def next_step_card(status: LoopStatus) -> None:
    """The next step, with a button and the equivalent command."""
    page = PageName(status.next.page)
    with st.container(
        border=True, height="stretch", horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        with st.container(gap=None, width="content"):
            st.caption("Next step")
            st.markdown(f"**{status.next.text}**")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            st.caption(f"`python -m scones_core {status.next.command}`", width="content")
            if st.button(f"Go to {page.label}", icon=page.icon, type="primary", key="next_step"):
                st.switch_page(page.path)


def _measured(accuracy: Accuracy) -> str:
    return f"{percent(accuracy.low, 0)} to {percent(accuracy.high, 0)}, {accuracy.images:,} images"


def key_figures(seen: Overview) -> None:
    """One row of figures; dashes for those not measured yet."""
    champion, queue, status = seen.serving.champion, seen.queue, seen.status
    decided = queue.confirmed + queue.relabelled
    grid = st.grid(5, min_column_width=150)
    grid.metric(
        "Accuracy in service",
        percent(champion.accuracy.value) if champion else "–",
        _measured(champion.accuracy) if champion else None,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help=f"Share {interval_text(champion.accuracy)}, of the dataset version {champion.dataset}."
        if champion
        else None,
    )
    grid.metric(
        "Threshold",
        f"{seen.threshold:.2f}",
        border=True,
        height="stretch",
        help="The confidence an inference must exceed.",
    )
    grid.metric("Captured inferences", f"{status.captured:,}", border=True, height="stretch")
    grid.metric("Waiting for review", f"{status.pending_review:,}", border=True, height="stretch")
    grid.metric(
        "Corrected",
        f"{queue.relabelled} of {decided}" if decided else "–",
        border=True,
        height="stretch",
        help="Images whose label differs from the prediction, out of all decided.",
    )
