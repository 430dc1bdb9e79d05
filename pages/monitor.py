"""Monitor: captured inferences, their confidence, and the effect of the threshold."""

import streamlit as st

from scones_core.domain.inference_filter import InferenceFilter
from scones_core.services import capture, drift_standing, monitoring
from scones_core.ui.monitor.audit_section import audit_section
from scones_core.ui.monitor.calibration_section import calibration_section
from scones_core.ui.monitor.captured_map import captured_map
from scones_core.ui.monitor.drift_section import drift_section
from scones_core.ui.monitor.filters import filter_input
from scones_core.ui.monitor.monitor_view import (
    explorer,
    key_figures,
    production_variants,
    put_aside,
    unnamed_note,
)
from scones_core.ui.monitor.report_button import report_button
from scones_core.ui.monitor.slices_section import slices_section
from scones_core.ui.monitor.threshold_section import threshold_section
from scones_core.ui.monitor.unlike_section import unlike_section
from scones_core.ui.shell.filling import empty_page
from scones_core.ui.shell.import_captures import import_button
from scones_core.ui.shell.ingest import ingest_on_opening, keep_reading, read_button
from scones_core.ui.shell.session import get_app, shown_errors
from scones_core.ui.shell.widgets import next_step, page_header

page_header("Monitor", "Inferences captured by the endpoint. Capture is best effort: some may be missing.")
app = get_app()
ingest_on_opening(app)
keep_reading(app)

makers = capture.makers(app)
if not makers:
    put_aside(app)
    empty_page(app, "monitoring", "No captured inferences yet. The endpoint captures what it classifies.")
    with st.container(horizontal=True, horizontal_alignment="center"):
        import_button(app, key="import")
    st.stop()

which = InferenceFilter()
with shown_errors():
    which = filter_input(app, makers)
    unnamed_note(app, makers)
    figures = monitoring.figures(app, which)
    if figures.inferences:
        drift = drift_standing.standing(app)
        key_figures(figures, drift)
        drift_section(app, drift)
        explorer(app, figures, which)
        production_variants(figures)
    else:
        st.info("No inferences match these filters. Clear some above.", icon=":material/filter_alt:")
audit_section(app, which.since)
calibration_section(app)
threshold_section(app, which)
slices_section(app)
unlike_section(app)
captured_map(app, which)
put_aside(app)
read_button(app)
report_button(app)
next_step("review", "Review the least confident images")
