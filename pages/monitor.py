"""Monitor: captured inferences, their confidence, and the effect of the threshold."""

import streamlit as st

from scones_core.services import capture, drift_standing
from scones_core.ui.monitor.audit_section import audit_section, calibration_section
from scones_core.ui.monitor.drift_section import drift_section
from scones_core.ui.monitor.monitor_view import (
    current_figures,
    distributions,
    key_figures,
    model_input,
    production_variants,
    put_aside,
    time_range,
    timeline,
    unnamed_note,
)
from scones_core.ui.monitor.report_button import report_button
from scones_core.ui.monitor.threshold_section import threshold_section
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.import_captures import import_button
from scones_core.ui.shell.ingest import ingest, ingest_on_opening
from scones_core.ui.shell.session import get_app, shown_errors
from scones_core.ui.shell.widgets import empty_state, next_step, page_header

page_header("Monitor", "Inferences captured by the endpoint. Capture is best effort: some may be missing.")
app = get_app()
ingest_on_opening(app)

makers = capture.makers(app)
if not makers:
    put_aside(app)
    empty_state(
        "monitoring",
        "No captured inferences yet. Send some images through the workflow.",
        "workflow",
        "Start executions",
    )
    with st.container(horizontal=True, horizontal_alignment="center"):
        import_button(app, key="import")
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    since = time_range()
    model = model_input(makers)
    action_button(
        "Read captured inferences",
        lambda: ingest(app),
        key="ingest",
        icon=":material/sync:",
        help="Reads inferences captured since the last read. Opening this page does the same.",
    )

with shown_errors():
    unnamed_note(app, makers)
    figures = current_figures(app, since, model, makers)
    if figures.inferences:
        drift = drift_standing.standing(app)
        key_figures(figures, drift)
        drift_section(app, drift)
        st.header("Confidence over time", anchor=False)
        timeline(app, figures, since, model)
        distributions(figures)
        production_variants(figures)
    else:
        st.info("No inferences in this period. Choose a longer one above.", icon=":material/schedule:")
audit_section(app, since)
calibration_section(app)
threshold_section(app)
put_aside(app)
report_button(app)
next_step("review", "Review the least confident images")
