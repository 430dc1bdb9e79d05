"""A map of images with a selection: like lies near like."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from scones_core.services import App, embedding_store, likeness_map
from scones_core.services.likeness_map import MOST, Place
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.chart_theme import LEGEND, alt, drawable
from scones_core.ui.shell.images import Tile, tiles
from scones_core.ui.shell.session import get_background
from scones_core.ui.shell.task_progress import watch

SHOWN = 60  # tiles of a selection
_SELECTION = "brush"

Rows = Sequence[Mapping[str, Any]]  # sha256, key, caption, alt, and what the points can be coloured by


def likeness_map_section(
    app: App, rows: Rows, *, name: str, colours: Mapping[str, str], what: str, act: Callable[[Rows], None]
) -> None:
    """The map, made when asked for; a drag over it shows the images and what can be done with them.

    rows : at most MOST; those with `event`, the id of a captured inference, need no key.
    name : of the map, its cache key.  colours : title → field and type by which the points are coloured.
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
    colours: Mapping[str, str],
    what: str,
    act: Callable[[Rows], None],
) -> None:
    by_image = {row["sha256"]: row for row in rows}
    known = [place for place in places if place.sha256 in by_image]
    colour = st.segmented_control(
        "Colour", list(colours), default=next(iter(colours)), required=True, key=f"map_colour_{name}"
    )
    data = pd.DataFrame([{**by_image[place.sha256], "x": place.x, "y": place.y} for place in known])
    st.caption(f"{len(known):,} {what}. Drag over points to see their images. Only neighbourhood has a meaning.")
    event = st.altair_chart(
        drawable(_chart(data, colours[colour], colour)),
        width="stretch",
        key=f"map_{name}_{colour}",
        on_select="rerun",
        selection_mode=_SELECTION,
        alt=f"Map of {len(known):,} {what}, coloured by {colour.lower()}; like images lie near each other.",
    )
    chosen = _inside(data, event["selection"].get(_SELECTION, {}))
    if chosen:
        st.subheader(f"{len(chosen):,} selected", anchor=False)
        act(chosen)
        tiles(app, [_tile(row) for row in chosen[:SHOWN]])
        if len(chosen) > SHOWN:
            st.caption(f"The first {SHOWN} of {len(chosen):,}.")


def _tile(row: Mapping[str, Any]) -> Tile:
    event = str(row.get("event", ""))
    return Tile(row["key"], row["sha256"], str(row["caption"]), str(row["alt"]), event)


def _chart(data: pd.DataFrame, shorthand: str, title: str) -> alt.Chart:
    name, kind = shorthand.split(":")
    scale = alt.Undefined if kind == "N" else alt.Scale(scheme="viridis")
    free = alt.Scale(zero=False)
    chart: alt.Chart = (
        alt.Chart(data[["x", "y", name]])
        .mark_circle(size=34, opacity=0.75)
        .encode(
            x=alt.X("x:Q", axis=None, scale=free),
            y=alt.Y("y:Q", axis=None, scale=free),
            color=alt.Color(shorthand, title=title, scale=scale, legend=LEGEND),
            tooltip=[alt.Tooltip(shorthand, title=title)],
        )
        .add_params(alt.selection_interval(name=_SELECTION))
        .properties(height=460)
    )
    return chart


def _inside(data: pd.DataFrame, brush: Mapping[str, Any]) -> Rows:
    """The rows inside the selected rectangle."""
    if not brush.get("x") or not brush.get("y"):
        return []
    (left, right), (low, high) = sorted(brush["x"]), sorted(brush["y"])
    inside = data[data["x"].between(left, right) & data["y"].between(low, high)]
    found: list[dict[str, Any]] = inside.to_dict("records")  # type: ignore[assignment]
    return found


def sampled(rows: Sequence[Any], most: int = MOST) -> Sequence[Any]:
    """At most so many of the rows, spread evenly."""
    step = -(-len(rows) // most) or 1
    return rows[::step]
