"""The sections of the Monitor page."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pandas as pd
import streamlit as st

from scones_core.domain.attribution import Attribution, Maker
from scones_core.services import App, capture, deployment, inference_export, monitoring, review
from scones_core.services.drift_standing import DriftStanding
from scones_core.services.monitoring import Figures
from scones_core.ui.monitor import charts
from scones_core.ui.monitor.drift_section import LEVELS, drift_help
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.confidence_chart import confidence_histogram
from scones_core.ui.shell.images import captured_image
from scones_core.ui.shell.session import shown_errors
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import heading, time_text, zone
from scones_core.ui.shell.variant_figures import figures_row
from scones_core.ui.shell.widgets import percent

_RANGES: dict[str, timedelta | None] = {
    "Last hour": timedelta(hours=1),
    "24 hours": timedelta(days=1),
    "7 days": timedelta(days=7),
    "30 days": timedelta(days=30),
    "All time": None,
}
_MAKERS = {
    str(Attribution.IMPORTED): "Imported",
    str(Attribution.UNDECIDED): "Captured during an update",
    str(Attribution.UNKNOWN): "Model unknown",
}
_LISTED = 200  # inferences in the table


def time_range() -> datetime | None:
    """The chosen start, to the minute; None for all time."""
    chosen = st.segmented_control("Time range", list(_RANGES), default="All time", required=True, key="monitor_range")
    back = _RANGES[chosen]
    return None if back is None else datetime.now(UTC).replace(second=0, microsecond=0) - back


def model_input(makers: Sequence[Maker]) -> str | None:
    """The selected model; None for all."""
    found: dict[str | None, str] = {
        None: "All models",
        **{maker.name: f"{_maker(maker.name)} ({maker.inferences:,})" for maker in makers},
    }
    chosen: str | None = st.selectbox(
        "Model", list(found), format_func=lambda name: found[name], key="monitor_model", width=260
    )
    return chosen


def _maker(name: str) -> str:
    return _MAKERS.get(name, f"Model {name}")


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


def current_figures(app: App, since: datetime | None, model: str | None, makers: Sequence[Maker]) -> Figures:
    """The figures at the current threshold; recomputed only when their inputs change."""
    champion, at = deployment.champion(app), monitoring.threshold(app)
    serving = f"{champion.id} since {deployment.in_service_since(app, champion)}" if champion else ""
    return _figures(app, str(app.settings.home), tuple(makers), serving, since, at, model)


@st.cache_resource(show_spinner="Computing the figures…", max_entries=4)
def _figures(
    _app: App,
    home: str,
    makers: tuple[Maker, ...],
    serving: str,
    since: datetime | None,
    at: float,
    model: str | None,
) -> Figures:
    return monitoring.figures(_app, since=since, at=at, model=model)


def key_figures(figures: Figures, drift: DriftStanding) -> None:
    mean = figures.points["confidence"].mean()
    grid = st.grid(4, min_column_width=150, gap="small")
    grid.metric("Captured inferences", f"{figures.inferences:,}", border=True)
    grid.metric(
        "Low-confidence",
        percent(figures.low_share),
        border=True,
        help=f"{figures.low_confidence:,} captured inferences at or below the threshold {figures.threshold:.2f}.",
    )
    grid.metric("Mean confidence", percent(mean), border=True)
    grid.metric("Drift", LEVELS[drift.level], border=True, help=drift_help(drift))


@st.fragment
def timeline(app: App, figures: Figures, since: datetime | None, model: str | None) -> None:
    """Confidence over time, beside the image of the clicked point, by default the latest.

    A fragment: clicking a point does not recompute the figures.
    """
    shown = charts.sampled(figures.points)
    left, right = st.columns([5, 2], gap="large")
    with left:
        picked = charts.confidence_over_time(shown, figures.threshold, key="confidence_over_time")
        picked = _as_table(shown) or picked
        sample = f" Shown: a sample of {len(shown):,} of {len(figures.points):,} points. The figures include all."
        st.caption(
            "The dashed line is the threshold. Click a point to see its image."
            + (sample if len(shown) < len(figures.points) else "")
        )
        st.download_button(
            "Download CSV",
            lambda: inference_export.captured_csv(app, since=since, model=model),
            "captured-inferences.csv",
            "text/csv",
            icon=":material/download:",
            key="captured_csv",
            on_click="ignore",
            help="All inferences of this period: time, image, prediction, confidence, model.",
        )
    with right, shown_errors():
        st.markdown("### Selected" if picked else "### Latest")
        _inference(app, picked or str(figures.points["event_id"].iloc[-1]))


def _as_table(points: pd.DataFrame) -> str | None:
    """The newest points as a table, for keyboards and screen readers; the id of the selected one."""
    with st.expander(f"The newest {min(_LISTED, len(points))} as a table", icon=":material/table_rows:"):
        newest = points.tail(_LISTED).iloc[::-1]
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
    by = f"by {item.model}" if item.model.startswith("v") else _maker(item.model).lower()
    st.caption(f"Captured {time_text(row['time'])}, {by}  \n{plain(item.image.rsplit('/', 1)[-1])}")


def distributions(figures: Figures) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("### Confidence")
        confidence_histogram(figures.histogram, figures.threshold, key="confidence_histogram")
    with right:
        st.markdown("### Predicted classes")
        charts.predicted_classes(figures.by_class, key="predicted_classes")


def production_variants(figures: Figures) -> None:
    """The endpoint's variants side by side, if there are several."""
    if len(figures.by_variant) > 1:
        st.markdown("### Production variants")
        rows = [{"Variant": plain(row.variant), **figures_row(row)} for row in figures.by_variant]
        st.table(pd.DataFrame(rows), border="horizontal", hide_index=True)
