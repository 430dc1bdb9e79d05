"""Workflow: run images through the state machines and inspect each execution."""

import streamlit as st

from scones_core.services import batch, deployment, etl
from scones_core.ui.shell.filling import empty_page
from scones_core.ui.shell.notifications import messages_table, notification_status
from scones_core.ui.shell.session import get_app, shown_errors
from scones_core.ui.shell.widgets import next_step, page_header
from scones_core.ui.workflow.batch_view import batch_input, batch_summary, batches_table, running_batches, start_button
from scones_core.ui.workflow.execution_view import execution_view
from scones_core.ui.workflow.images_section import images_section
from scones_core.ui.workflow.import_view import file_input, import_help, imported_view
from scones_core.ui.workflow.machine_view import machine_input, machine_view, started_execution
from scones_core.ui.workflow.sections import Section, section_input
from scones_core.ui.workflow.traffic_view import traffic_buttons, traffic_input, traffic_progress

page_header("Workflow", "Send images through the state machines, singly or in batches, and inspect each execution.")
app = get_app()
section = section_input()
dataset = etl.current(app)
if section.needs_model and (dataset is None or deployment.endpoint(app) is None):
    empty_page(app, "account_tree", "No model is deployed yet. Images are classified by one.")
    st.stop()

with shown_errors():
    if section is Section.IMAGES and dataset:
        images_section(app, dataset)

    elif section is Section.BATCH and dataset:
        batches = batch.batches(app)
        with st.container(border=True):
            start_button(batch_input(app, dataset))
            running_batches(app, batches)
        if not batches:
            st.info("No batches yet. Choose images above and press **Start batch**.", icon=":material/dynamic_feed:")
            st.stop()
        st.header("Batches", anchor=False)
        shown = batches_table(batches)
        batch_summary(app, shown)
        execution_view(app, shown.name)

    elif section is Section.TRAFFIC:
        with st.container(border=True):
            traffic_buttons(app, traffic_input())
        traffic_progress()

    elif section is Section.MACHINES:
        machine = machine_input(app)
        machine_view(app, machine, dataset)
        started = started_execution(machine)
        if started:
            execution_view(app, started)

    elif section is Section.IMPORT:
        file = file_input()
        if file:
            imported_view(app, *file)
        else:
            import_help()

    else:
        notification_status(app)
        st.header("Messages", anchor=False)
        messages_table(app)
next_step("monitor", "See what the endpoint captured")
