"""Filters of the Monitor page and the selection in its charts. Both are in the URL, and kept across pages."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from scones_core.domain.attribution import Attribution, Maker
from scones_core.domain.inference_filter import InferenceFilter
from scones_core.errors import BadInput
from scones_core.services import App, counting
from scones_core.ui.shell.navigation import just_entered
from scones_core.ui.shell.times import zone

RANGES: dict[str, timedelta | None] = {
    "Last hour": timedelta(hours=1),
    "24 hours": timedelta(days=1),
    "7 days": timedelta(days=7),
    "30 days": timedelta(days=30),
    "All time": None,
}
ALL_TIME = "All time"
MAKERS = {
    str(Attribution.IMPORTED): "Imported",
    str(Attribution.UNDECIDED): "Captured during an update",
    str(Attribution.UNKNOWN): "Model unknown",
}
KINDS = {"All": None, "Accepted": True, "Low-confidence": False}
REVIEWED = {"All": None, "Reviewed": True, "Not reviewed": False}
TIMES = ("monitor_from", "monitor_to")  # of the filter
SELECTED_TIMES = ("monitor_selected_from", "monitor_selected_to")  # dragged in a chart
SELECTED_CONFIDENCES = ("monitor_above", "monitor_up_to")  # clicked in a chart
_CHOICES = {
    "monitor_range": ALL_TIME,
    "monitor_kind": "All",
    "monitor_reviewed": "All",
    "monitor_model": "All",
    "monitor_class": "All",
    "monitor_endpoint": "All",
}
_KEYS = (*_CHOICES, *TIMES, *SELECTED_TIMES, *SELECTED_CONFIDENCES)
_KEPT, _ZOOMED = "monitor_kept", "monitor_zoomed"


def maker_name(name: str) -> str:
    return MAKERS.get(name, f"Model {name}")


def filter_input(app: App, makers: Sequence[Maker]) -> InferenceFilter:
    """The chosen filter. Raises BadInput for a time that cannot be read."""
    _restore()
    for key, text in zip(TIMES, st.session_state.pop(_ZOOMED, ()), strict=False):
        st.session_state[key] = text
    options = counting.choices(app)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        back = RANGES[_segments("Time range", list(RANGES), "monitor_range")]
        kind = KINDS[_segments("Confidence", list(KINDS), "monitor_kind")]
        reviewed = REVIEWED[_segments("Review", list(REVIEWED), "monitor_reviewed")]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        models = {"All": None, **{maker_name(maker.name): maker.name for maker in makers}}
        model = models[_choice("Model", list(models), "monitor_model")]
        prediction = _choice("Predicted class", ["All", *options.classes], "monitor_class")
        endpoint = "All"
        if len(options.endpoints) > 1:
            endpoint = _choice("Endpoint", ["All", *options.endpoints], "monitor_endpoint")
        st.button("Clear filters", icon=":material/filter_alt_off:", key="clear_filters", on_click=_clear)
        since, until = _times("From", "To", TIMES, 165)
    if back and not since:
        since = datetime.now(UTC).replace(second=0, microsecond=0) - back
    return InferenceFilter(
        since=since,
        until=until,
        model=model,
        endpoint=None if endpoint == "All" else endpoint,
        prediction=None if prediction == "All" else prediction,
        accepted=kind,
        reviewed=reviewed,
    )


def _restore() -> None:
    """Set the fields as they were when this session left the page, unless the URL sets any.

    Streamlit does so by itself, but for the Back button: it leads to an address that the fields have left already.
    """
    kept: dict[str, Any] = st.session_state.get(_KEPT, {})
    if just_entered() and kept and not any(key in st.query_params for key in _KEYS):
        for foreign in set(st.query_params) - set(_KEYS):  # of the page that was left
            del st.query_params[foreign]
        for key, value in kept.items():
            st.session_state[key] = value
        st.rerun()  # in this run the address would prevail


def keep() -> None:
    """Keep the fields for when this session returns to the page; called once all are drawn."""
    st.session_state[_KEPT] = {key: st.session_state[key] for key in _KEYS if key in st.session_state}


def _segments(label: str, options: list[str], key: str) -> str:
    chosen: str | None = st.segmented_control(
        label,
        options,
        default=_CHOICES[key],
        required=True,
        key=key,
        wrap=True,
        bind="query-params",
        on_change=clear_selection,
    )
    return chosen or _CHOICES[key]


def _choice(label: str, options: list[str], key: str) -> str:
    chosen: str = st.selectbox(label, options, key=key, width=190, bind="query-params", on_change=clear_selection)
    return chosen


def _times(first: str, last: str, keys: tuple[str, str], width: int = 210) -> tuple[datetime | None, datetime | None]:
    """Two times as text, such as 2026-03-01T14:00; the viewer's zone, unless they name another."""
    help = "Such as 2026-03-01T14:00. Your time zone, unless you add another, such as +01:00 or Z."
    texts = [
        st.text_input(label, key=key, width=width, max_chars=40, placeholder="Any time", bind="query-params", help=help)
        for label, key in zip((first, last), keys, strict=True)
    ]
    return _time(texts[0]), _time(texts[1])


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text.strip().replace(" ", "+"))
        return (time if time.tzinfo else time.replace(tzinfo=zone())).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"“{text[:40]}” is not a time: write it as 2026-03-01T14:00.") from None


def time_value(time: datetime) -> str:
    """A time as the fields and the URL hold it, in the viewer's zone, which it names."""
    return time.astimezone(zone()).isoformat(timespec="seconds")


def _clear() -> None:
    for key, value in _CHOICES.items():
        st.session_state[key] = value
    for key in TIMES:
        st.session_state[key] = ""
    clear_selection()


def clear_selection() -> None:
    for key in SELECTED_TIMES:
        st.session_state[key] = ""
    for key in SELECTED_CONFIDENCES:
        st.session_state[key] = None
    st.session_state["monitor_charts"] = st.session_state.get("monitor_charts", 0) + 1


def chart_key(name: str) -> str:
    """Of a chart with a selection: another once the selection was cleared, for a chart clears none by itself."""
    return f"{name}-{st.session_state.get('monitor_charts', 0)}"


def zoom() -> None:
    """Make the selected time that of the filter, in the run of the whole page that follows."""
    st.session_state[_ZOOMED] = [st.session_state.get(selected, "") for selected in SELECTED_TIMES]
    clear_selection()


def selection_input(which: InferenceFilter) -> InferenceFilter:
    """The filter, narrowed to what is selected in the charts; fields beside them do the same by keyboard."""
    if _ZOOMED in st.session_state:
        st.rerun()  # the fields of the filter are beyond this fragment
    times, selected = ([st.session_state.get(key) for key in keys] for keys in (TIMES, SELECTED_TIMES))
    if any(times) and times == selected:
        clear_selection()  # the browser had not heard of the zoom yet, and sent once more what was selected
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        since, until = _times("Selected from", "to", SELECTED_TIMES)
        above, up_to = (
            st.number_input(label, 0.0, 1.0, None, 0.001, "%.3f", key=key, width=170, bind="query-params")
            for label, key in zip(("Confidence above", "up to"), SELECTED_CONFIDENCES, strict=True)
        )
        nothing = not (since or until or above or up_to)
        no_time = not (since or until)
        st.button("Zoom in", icon=":material/zoom_in:", key="zoom_in", on_click=zoom, disabled=no_time)
        st.button(
            "Clear selection", icon=":material/deselect:", key="deselect", on_click=clear_selection, disabled=nothing
        )
    keep()
    first = max(filter(None, (which.since, since)), default=None)
    last = min(filter(None, (which.until, until)), default=None)
    return replace(which, since=first, until=last, above=_rounded(above), up_to=_rounded(up_to))


def _rounded(value: float | None) -> float | None:
    return round(value, 3) if value else None


def select_time(key: str) -> None:
    """Called when a time was dragged in the chart `key`."""
    brushed = _selected(key, "brush").get("time")
    if brushed:
        first, last = (datetime.fromtimestamp(value / 1000, UTC) for value in brushed)
        st.session_state[SELECTED_TIMES[0]] = time_value(first)
        st.session_state[SELECTED_TIMES[1]] = time_value(last + timedelta(seconds=1))
        st.session_state["monitor_brushed"] = key
    elif st.session_state.pop("monitor_brushed", None) == key:
        for selected in SELECTED_TIMES:
            st.session_state[selected] = ""


def select_confidence(key: str) -> None:
    """Called when a bar was clicked in the chart `key`."""
    bars = _selected(key, "bar")
    for name, selected in zip(("start", "end"), SELECTED_CONFIDENCES, strict=True):
        st.session_state[selected] = round(float(bars[0][name]), 3) if bars else None


def _selected(key: str, name: str) -> Any:
    return st.session_state[key]["selection"].get(name) or {}


def in_words(which: InferenceFilter) -> str:
    """Such as: low-confidence bicycle inferences by Model v1, confidence above 0.5 up to 0.55."""
    kind = {True: "accepted", False: "low-confidence", None: ""}[which.accepted]
    review = {True: "reviewed", False: "not reviewed", None: ""}[which.reviewed]
    words = [part for part in (kind, review, (which.prediction or "").replace("_", " ")) if part]
    text = " ".join([*words, "inferences"]) if words else "all inferences"
    text += f" by {maker_name(which.model)}" if which.model else ""
    text += f" at {which.endpoint}" if which.endpoint else ""
    if which.above or which.up_to:
        text += f", confidence above {which.above or 0:.3g} up to {which.up_to or 1:.3g}"
    if which.since:
        text += f", from {which.since.astimezone(zone()):%-d %b %H:%M}"
    if which.until:
        text += f", until {which.until.astimezone(zone()):%-d %b %H:%M}"
    return text
