"""Calibration on the sealed test images and, once audited, in production."""

import streamlit as st

from scones_core.domain.audit import AuditFigures
from scones_core.domain.models import ModelVersion
from scones_core.domain.reliability import CalibrationFigures
from scones_core.services import App, audits, calibration, deployment, held_out
from scones_core.services.threshold import threshold
from scones_core.ui.monitor import charts, evidence_charts
from scones_core.ui.shell.session import shown_errors


def calibration_section(app: App) -> None:
    """Reliability on the sealed test images and, once audited, in production, side by side."""
    champion = deployment.champion(app)
    if champion is None:
        return
    with shown_errors():
        st.header("Calibration", anchor=False)
        found = _calibrated(app, str(app.settings.home), champion.id)
        audited = [one for one in audits.listed(app, champion.id) if audits.measured(app, one)]
        left, right = st.columns(2, gap="medium")
        with left:
            st.markdown("### Test images")
            evidence_charts.reliability(found.figures.bins, key="reliability_test", what="test images")
            st.caption(
                f"{found.figures.images:,} sealed test images of {found.model} (test set `{found.test_set}`). "
                f"{_error(found.figures)} Brier score of the confidence {found.figures.confidence_brier:.3f}."
            )
            with shown_errors():
                if trained := _held_out(app, str(app.settings.home), champion):
                    st.caption(f"{trained.images:,} training images held out in cross-validation. {_error(trained)}")
        with right:
            st.markdown("### Production")
            figures = audits.measured(app, audited[-1]) if audited else None
            if figures is None:
                st.info("No audited labels yet: calibration in production is not known.", icon=":material/fact_check:")
                return
            evidence_charts.reliability(figures.reliability, key="reliability_production", what="audited inferences")
            brier = figures.confidence_brier
            st.caption(
                f"Audit {audited[-1].audit.id}: {figures.labels:,} labels for {figures.inferences:,} inferences. "
                f"{_error(figures)} Brier score of the confidence {brier.value:.3f}, 95% interval "
                f"{brier.interval[0]:.3f} to {brier.interval[1]:.3f}. "
                "Below: coverage and error rate per threshold in this period, estimated from them; of the test images "
                "see **Threshold**."
            )
            rows = audits.risk_coverage(audited[-1])
            charts.risk_coverage(rows, threshold(app), key="risk_coverage_production")


def _error(figures: CalibrationFigures | AuditFigures) -> str:
    low, high = figures.ece_interval
    return (
        f"Calibration error {figures.ece:.3f}, 95% interval {low:.3f} to {high:.3f}; "
        f"up to {figures.ece_by_chance:.3f} is chance."
    )


@st.cache_data(show_spinner=False, max_entries=8)
def _calibrated(_app: App, home: str, model: str) -> calibration.ModelCalibration:
    return calibration.calibration(_app)


@st.cache_data(show_spinner=False, max_entries=8, hash_funcs={ModelVersion: lambda model: model.number})
def _held_out(_app: App, home: str, model: ModelVersion) -> CalibrationFigures | None:
    return held_out.calibration_figures(_app, model)
