"""The section Images: start executions, follow them in a live table, and inspect one."""

import streamlit as st

from scones_core.domain.datasets import DatasetVersion
from scones_core.services import App, classification, monitoring
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.notifications import notification_hint
from scones_core.ui.shell.session import shown_errors
from scones_core.ui.shell.task_progress import watch
from scones_core.ui.workflow.execution_table import executions_table, filter_input, more_button, page_size
from scones_core.ui.workflow.execution_view import execution_view
from scones_core.ui.workflow.images_input import images_input
from scones_core.ui.workflow.start_executions import are_running, outcome, start_executions, stop_button, task_name

_EVERY = 2.0  # seconds between updates of the table while executions run


def images_section(app: App, dataset: DatasetVersion) -> None:
    running = are_running()
    with st.container(border=True):
        chosen = images_input(app, dataset)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            workers = st.select_slider("Concurrent executions", [1, 2, 4, 8, 16], 4, key="workflow_workers", width=220)
            action_button(
                chosen.label,
                lambda: start_executions(app, chosen, workers),
                key="start_executions",
                icon=":material/play_arrow:",
                primary=True,
                disabled=running or bool(chosen.missing),
                help="Executions are running." if running else chosen.missing,
            )
            stop_button()
        watch(task_name())
        outcome()
    st.header("Executions", anchor=False)
    st.fragment(run_every=_EVERY if running else None)(_executions)(app)


def _executions(app: App) -> None:
    """Filter, table and the chosen execution. A fragment, which is repeated while executions run."""
    wanted = filter_input()
    with shown_errors():
        executions = classification.search(
            app, status=wanted.status, name=wanted.name, since=wanted.since, until=wanted.until, limit=page_size()
        )
        if not executions:
            st.info(
                "No executions to show. Choose images above and press **Start**, or choose another status, name or "
                "day.",
                icon=":material/account_tree:",
            )
            return
        name = executions_table(app, executions, monitoring.threshold(app))
        more_button(len(executions))
        notification_hint(app)
        execution_view(app, name)
