"""Download of the evidence report."""

import streamlit as st

from scones_core.services import App, deployment, report


def report_button(app: App) -> None:
    """One self-contained HTML file to send to others; made when it is pressed."""
    if deployment.champion(app) is None:
        return
    st.download_button(
        "Download evidence report",
        lambda: report.report(app),
        "evidence.html",
        "text/html",
        icon=":material/summarize:",
        key="evidence_report",
        on_click="ignore",
        help="Model, data, threshold, audit, calibration and drift, each figure with its source. Opens offline.",
    )
