"""A map of images with a selection, by lasso or rectangle: like lies near like."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from scones_core.services import App, embedding_store, likeness_map
from scones_core.services.likeness_map import MOST, Place
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.chart_theme import ink
from scones_core.ui.shell.images import Tile, tiles
from scones_core.ui.shell.session import get_background
from scones_core.ui.shell.task_progress import watch

SHOWN = 60  # tiles of a selection
VIRIDIS = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"]

Rows = Sequence[Mapping[str, Any]]  # sha256, key, caption, alt, and what the points can be coloured by


@dataclass(frozen=True)
class Colouring:
    """By what points are coloured: `field` of the rows, a name, or a number that `words` writes out."""

    field: str
    words: Callable[[float], str] | None = None


def likeness_map_section(
    app: App, rows: Rows, *, name: str, colours: Mapping[str, Colouring], what: str, act: Callable[[Rows], None]
) -> None:
    """The map, made when asked for; a selection on it shows the images and what can be done with them.

    rows : at most MOST; those with `event`, the id of a captured inference, need no key.
    name : of the map, its cache key.  colours : by title.
    what : the images, in words.  act : shows actions on the selected rows.
    """
    task = get_background().get(f"map {name}")
    if task is None or task.running or task.error:
        _offer(app, rows, name, what)
        watch(f"map {name}")
        return
    places: list[Place] = task.result
    if not places:
        _offer(app, rows, name, what)
        return
    _map(app, rows, places, name, colours, what, act)


def _offer(app: App, rows: Rows, name: str, what: str) -> None:
    st.caption(f"Places {len(rows):,} {what} by the likeness of their pictures; takes up to half a minute.")
    if embedding_store.waiting(app, [str(row["sha256"]) for row in rows]):
        _embedding_progress(app, rows)
    make_button(app, lambda: rows, name, "Make the map", disabled=not rows)


@st.fragment(run_every=5)
def _embedding_progress(app: App, rows: Rows) -> None:
    """How many of the images have been embedded."""
    images = {str(row["sha256"]) for row in rows}
    done = len(images) - embedding_store.waiting(app, images)
    st.progress(done / len(images), text=f"{done:,} of {len(images):,} images embedded, in the background")


def make_button(app: App, rows: Callable[[], Rows], name: str, text: str, *, disabled: bool = False) -> None:
    """Starts the task that makes a map of the rows."""
    running = get_background().get(f"map {name}")

    def start() -> None:
        images = [str(row["sha256"]) for row in rows()]
        get_background().start(
            f"map {name}",
            "Placing images on the map",
            lambda progress: likeness_map.places(app, images, progress=progress),
        )

    action_button(
        text,
        start,
        key=f"make_map_{name}",
        icon=":material/scatter_plot:",
        primary=True,
        disabled=disabled or bool(running and running.running),
    )


@st.fragment
def _map(
    app: App,
    rows: Rows,
    places: Sequence[Place],
    name: str,
    colours: Mapping[str, Colouring],
    what: str,
    act: Callable[[Rows], None],
) -> None:
    by_image = {row["sha256"]: row for row in rows}
    known = [place for place in places if place.sha256 in by_image]
    colour = st.segmented_control(
        "Colour", list(colours), default=next(iter(colours)), required=True, key=f"map_colour_{name}"
    )
    placed = [{**by_image[place.sha256], "x": place.x, "y": place.y} for place in known]
    st.caption(
        f"{len(known):,} {what}. Choose the lasso or the rectangle above the map and draw around points to see their "
        "images; double-click to clear. Only neighbourhood has a meaning."
    )
    spec, series = _chart(placed, colours[colour])
    event = st.echarts_chart(
        spec,
        height=460,
        key=f"map_{name}_{colour}",
        on_select="rerun",
        alt=f"Map of {len(known):,} {what}, coloured by {colour.lower()}; like images lie near each other.",
    )
    chosen = _selected(series, event["selection"]["selected"])
    if chosen:
        st.subheader(f"{len(chosen):,} selected", anchor=False)
        act(chosen)
        tiles(app, [_tile(row) for row in chosen[:SHOWN]])
        if len(chosen) > SHOWN:
            st.caption(f"The first {SHOWN} of {len(chosen):,}.")


def _tile(row: Mapping[str, Any]) -> Tile:
    event = str(row.get("event", ""))
    return Tile(row["key"], row["sha256"], str(row["caption"]), str(row["alt"]), event)


def _chart(rows: Rows, by: Colouring) -> tuple[dict[str, Any], list[Rows]]:
    """An ECharts option, and the rows of each of its series, in the order of their points."""
    names = [] if by.words else sorted({str(row[by.field]) for row in rows})
    series: list[Rows] = [[row for row in rows if row[by.field] == name] for name in names] or [rows]
    points = {"type": "scatter", "encode": {"x": "x", "y": "y"}, "symbolSize": 7, "itemStyle": {"opacity": 0.75}}
    axis = {"type": "value", "scale": True, "show": False}
    tools = {"type": ["polygon", "rect", "clear"], "title": {"polygon": "Lasso", "rect": "Rectangle", "clear": "Clear"}}
    key = {"legend": {"type": "scroll", "top": 44, "left": 0, "textStyle": {"color": ink()}}}
    spec = {
        "grid": {"left": 8, "right": 8, "top": 80, "bottom": 8},
        "xAxis": axis,
        "yAxis": axis,
        "tooltip": {"formatter": "{@alt}"},
        "toolbox": {"left": 0, "top": 0, "itemSize": 18, "itemGap": 14, "iconStyle": {"borderColor": ink()}}
        | {"feature": {"brush": tools}},
        "brush": {"xAxisIndex": "all", "throttleType": "debounce", "throttleDelay": 300},
        "dataset": [{"source": pd.DataFrame(part)[["x", "y", by.field, "alt"]]} for part in series],
        "series": [{**points, "datasetIndex": i, "name": name} for i, name in enumerate(names)] or [points],
    }
    return spec | (_scale(rows, by.field, by.words) if by.words else key), series


def _scale(rows: Rows, field: str, words: Callable[[float], str]) -> dict[str, Any]:
    """The colours of a number, with its bounds in words."""
    low, high = (bound(row[field] for row in rows) for bound in (min, max))
    return {
        "visualMap": {
            "type": "continuous",
            "dimension": field,
            "min": low,
            "max": high,
            "text": [words(high), words(low)],
            "textStyle": {"color": ink()},
            "orient": "horizontal",
            "top": 44,
            "left": 0,
            "itemWidth": 12,
            "itemHeight": 160,
            "inRange": {"color": VIRIDIS},
        }
    }


def _selected(series: Sequence[Rows], groups: Sequence[Mapping[str, Any]]) -> Rows:
    """The rows of the selected points. A selection survives a new map, which may have fewer points."""
    return [
        series[group["series_index"]][point]
        for group in groups
        if group["series_index"] < len(series)
        for point in group["data_indices"]
        if point < len(series[group["series_index"]])
    ]


def sampled(rows: Sequence[Any], most: int = MOST) -> Sequence[Any]:
    """At most so many of the rows, spread evenly."""
    step = -(-len(rows) // most) or 1
    return rows[::step]
