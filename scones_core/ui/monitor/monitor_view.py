"""The sections of the Monitor page."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from scones_core.domain.attribution import Attribution, Maker
from scones_core.domain.inference_filter import InferenceFilter
from scones_core.services import App, capture, review
from scones_core.services.drift_standing import DriftStanding
from scones_core.services.monitoring import Figures
from scones_core.ui.monitor import charts, time_charts
from scones_core.ui.monitor.drift_section import LEVELS, drift_help
from scones_core.ui.monitor.filters import chart_key, select_confidence, selection_input
from scones_core.ui.monitor.gallery import images, maker_text
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.confidence_chart import confidence_histogram
from scones_core.ui.shell.images import captured_image
from scones_core.ui.shell.session import shown_errors
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import heading, time_text, zone
from scones_core.ui.shell.variant_figures import figures_row
from scones_core.ui.shell.widgets import percent

_LISTED = 200  # inferences in the table


def unnamed_note(app: App, makers: Sequence[Maker]) -> None:
    """A form to name the classes of imported inferences that have no names."""
    unnamed = sum(maker.unnamed for maker in makers if maker.name == Attribution.IMPORTED)
    if not unnamed:
        return
    with st.container(border=True):
        st.markdown(
            f"**{unnamed:,} imported inferences have no class names.** Until you enter them, classes are shown as "
            "numbers and cannot be compared with labels."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            text = st.text_input(
                "Class names, in the order of the probabilities", placeholder="bicycle, motorcycle", key="import_names"
            )
            names = [name.strip() for name in (text or "").split(",") if name.strip()]
            action_button(
                "Name the classes",
                lambda: f"{capture.name_classes(app, names):,} inferences named",
                key="name_classes",
                icon=":material/label:",
                disabled=len(names) < 2,
            )


def put_aside(app: App) -> None:
    """Unreadable lines of capture files, counted by reason, and listed."""
    rows = capture.put_aside(app)
    if not rows:
        return
    with st.expander(f"Quarantined: {len(rows):,} unreadable lines of capture files", icon=":material/block:"):
        table = pd.DataFrame(rows)
        reasons = table.groupby("reason").size().sort_values(ascending=False)
        st.table(reasons.rename_axis("Reason").reset_index(name="Lines"), border="horizontal", hide_index=True)
        shown = table.rename(columns=str.capitalize)
        st.dataframe(shown, hide_index=True, alt="Unreadable lines of capture files, with reasons")


def key_figures(figures: Figures, drift: DriftStanding) -> None:
    grid = st.grid(4, min_column_width=150, gap="small")
    grid.metric("Captured inferences", f"{figures.inferences:,}", border=True)
    grid.metric(
        "Low-confidence",
        percent(figures.low_share),
        border=True,
        help=f"{figures.low_confidence:,} captured inferences at or below the threshold {figures.threshold:.2f}.",
    )
    grid.metric("Mean confidence", percent(figures.mean_confidence), border=True)
    grid.metric("Drift", LEVELS[drift.level], border=True, help=drift_help(drift))


@st.fragment
def explorer(app: App, figures: Figures, which: InferenceFilter) -> None:
    """The charts of the filtered inferences, and the images of what is selected in them.

    A fragment: a selection does not recompute the figures.
    """
    st.header("Confidence over time", anchor=False)
    few = figures.inferences <= len(figures.points)
    newest = str(figures.points["event_id"].iloc[-1]) if len(figures.points) else None
    left, right = st.columns([5, 2], gap="large")
    with left:
        share = f"{figures.low_confidence:,} of {figures.inferences:,} ({percent(figures.low_share)})"
        st.markdown(f"### {share} at or below {figures.threshold:.2f}")
        if few:
            picked = charts.confidence_over_time(figures.points, figures.threshold)
        else:
            picked = time_charts.confidence_density(figures)
        picked = _as_table(figures.points) or picked
        how = "Click a point to see its image." if few else f"Counted per {time_charts.period_name(figures.counted)}."
        st.caption(f"The dashed line is the threshold. Drag across a time to see its images below. {how}")
    with right, shown_errors():
        if picked or newest:
            st.markdown("### Selected" if picked else "### Latest")
            _inference(app, picked or str(newest))
    _distributions(figures)
    st.header("Images", anchor=False)
    with shown_errors():
        images(app, selection_input(which))


def _as_table(points: pd.DataFrame) -> str | None:
    """The newest points as a table, for keyboards and screen readers; the id of the selected one."""
    with st.expander(f"The newest {min(_LISTED, len(points))} as a table", icon=":material/table_rows:"):
        newest = points.tail(_LISTED).iloc[::-1]
        if newest.empty:
            return None
        rows = {
            heading("Captured"): newest["time"].dt.tz_convert(zone()).dt.tz_localize(None),
            "Prediction": newest["prediction"].astype(str),
            "Confidence": 100 * newest["confidence"],
            "Kind": charts.kind(newest["low"]),
        }
        event = st.dataframe(
            pd.DataFrame(rows),
            key=f"newest-{newest['event_id'].iloc[0]}",
            hide_index=True,
            height=280,
            on_select="rerun",
            selection_mode="single-row",
            column_config={"Confidence": st.column_config.NumberColumn(format="%.1f%%")},
            alt="The newest captured inferences; a selected one is shown beside the chart",
        )
    chosen: list[int] = event["selection"]["rows"]
    return str(newest["event_id"].iloc[chosen[0]]) if chosen else None


def _inference(app: App, event_id: str) -> None:
    item, row = review.item(app, event_id), capture.inference(app, event_id)
    captured_image(app, event_id, width=168, alt=f"The captured image {item.image}")
    st.markdown(f"**{plain(item.prediction.replace('_', ' '))}** with {percent(item.confidence)} confidence")
    charts.probability_bars(item.probabilities, key="shown_probabilities")
    by = maker_text(item.model)
    st.caption(f"Captured {time_text(row['time'])}, {by}  \n{plain(item.image.rsplit('/', 1)[-1])}")


def _distributions(figures: Figures) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"### {time_charts.throughput_finding(figures)}")
        time_charts.throughput(figures)
    with right:
        st.markdown(f"### {time_charts.share_finding(figures)}")
        time_charts.low_share(figures)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"### {charts.confidence_finding(figures.histogram, figures.inferences)}")
        key = chart_key("confidence_histogram")
        confidence_histogram(figures.histogram, figures.threshold, key=key, on_select=lambda: select_confidence(key))
        st.caption("Click a bar to see its images below.")
    with right:
        st.markdown(f"### {charts.class_finding(figures.by_class)}")
        charts.predicted_classes(figures.by_class, key="predicted_classes")


def production_variants(figures: Figures) -> None:
    """The endpoint's variants side by side, if there are several."""
    if len(figures.by_variant) > 1:
        st.markdown("### Production variants")
        rows = [{"Variant": plain(row.variant), **figures_row(row)} for row in figures.by_variant]
        st.table(pd.DataFrame(rows), border="horizontal", hide_index=True)
