"""Coverage and error rate per threshold, a threshold to try, and a proposal."""

import streamlit as st

from scones_core.domain.inference_filter import InferenceFilter
from scones_core.services import App, deployment, drift_standing, monitoring
from scones_core.ui.monitor import charts
from scones_core.ui.monitor.promise_view import history, suggestion
from scones_core.ui.monitor.what_if_section import what_if_section
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.session import shown_errors
from scones_core.ui.shell.threshold import set_threshold
from scones_core.ui.shell.widgets import percent


@st.fragment
def threshold_section(app: App, which: InferenceFilter) -> None:
    """Coverage and error rate per threshold, and the effect on the filtered traffic; trying one reruns this only."""
    st.header("Threshold", anchor=False)
    if deployment.endpoint(app) is None:
        st.info("No model in service. Deploy one on **Train & deploy** to compare thresholds.", icon=":material/info:")
        return
    with shown_errors():
        model, test_set, images = monitoring.measured_on(app)
        st.caption(
            f"Measured on the {images:,} sealed test images of {model} (test set `{test_set}`), not on captured "
            "inferences: reviewed ones were mostly selected for low confidence, which would bias the error rate."
        )
        if drift_standing.moved(app, model):
            st.warning(
                f"The images have drifted from the test images: these figures do not hold for what {model} gets now.",
                icon=":material/trending_down:",
            )
        rows = monitoring.risk_coverage(app)
        current = monitoring.threshold(app)
        left, right = st.columns([3, 2], gap="large")
        with right:
            tried = st.slider("Try a threshold", 0.5, 0.999, _within(current), 0.001, "%.3f", key="tried_threshold")
            _tried(app, tried, current)
            suggestion(app)
            history(app)
        with left:
            charts.risk_coverage(rows, tried, key="risk_coverage")
        what_if_section(app, which, tried, current)


def _within(threshold: float) -> float:
    return min(0.999, max(0.5, round(threshold, 3)))


def _tried(app: App, tried: float, current: float) -> None:
    figures = monitoring.threshold_figures(app, tried)
    with st.container(horizontal=True, gap="small"):
        st.metric("Accepted", percent(figures.coverage), border=True, help="Coverage: share of images accepted.")
        st.metric(
            "Errors among accepted",
            percent(figures.risk),
            border=True,
            help="Selective risk: error rate of the accepted images.",
        )
    st.caption(
        f"At most {percent(figures.risk_upper_bound)} of accepted images are wrong (95% confidence, "
        f"{figures.labels_used:,} test images)."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        action_button(
            f"Set threshold to {tried:g}",
            lambda: set_threshold(app, tried),
            key="set_tried_threshold",
            icon=":material/tune:",
            disabled=tried == current,
        )
        st.caption(f"Current: {current:g}", width="content")
