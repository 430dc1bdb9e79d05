"""Where the model is wrong: slices of labelled images with a higher error rate than the rest."""

import pandas as pd
import streamlit as st

from scones_core.domain.slices import FEWEST
from scones_core.services import App, slices
from scones_core.services.slices import WeakSlice, WeakSlices
from scones_core.ui.shell.images import enlarged
from scones_core.ui.shell.session import shown_errors
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.widgets import percent

_SHOWN = 10  # images of a slice
_ASKED = "monitor_slices"


@st.fragment
def slices_section(app: App) -> None:
    """Slices, found when asked for: every labelled image is read."""
    st.header("Where it is wrong", anchor=False)
    if not st.session_state.get(_ASKED):
        st.caption(
            "Compares the error rate of dark and bright, flat and stark, smooth and sharp, grey and colourful images, "
            "of each predicted class, hour and cluster of images that are alike to the model, with that of the rest."
        )
        st.button("Find weak slices", icon=":material/search:", key="find_slices", on_click=_ask)
        return
    with shown_errors():
        _show(_found(app, str(app.settings.home)))


def _ask() -> None:
    st.session_state[_ASKED] = True


@st.cache_resource(show_spinner="Measuring the labelled images…", max_entries=4, ttl=300)
def _found(_app: App, home: str) -> WeakSlices:
    return slices.find(_app)


def _show(found: WeakSlices) -> None:
    weak = [one for one in found.slices if one.slice.found]
    drawn = f" and {found.drawn:,} captured images reviewed in random order" if found.drawn else ""
    st.caption(
        f"From {found.tests:,} sealed test images of {found.model} (test set `{found.test_set}`){drawn}. Of the slices "
        "that stand out, at most 5 in 100 are expected to do so by chance (Benjamini–Hochberg)."
    )
    if not weak:
        least = f"; the smallest adjusted p is {found.slices[0].slice.p_value:.2g}" if found.slices else ""
        st.info(
            f"No slice stands out among {len(found.slices):,} of {FEWEST} or more images{least}.",
            icon=":material/done_all:",
        )
    for one in weak:
        _weak(one, found)
    with st.expander(f"All {len(found.slices):,} slices", icon=":material/table_rows:"):
        st.table(pd.DataFrame([_row(one) for one in found.slices]), border="horizontal", hide_index=True)


def _weak(one: WeakSlice, found: WeakSlices) -> None:
    part = one.slice
    rates = f"wrong {percent(part.rate, 0)} of the time, the rest {percent(part.rest_rate, 0)}"
    st.markdown(f"### {plain(part.name)}: {rates}")
    traffic = f"the newest {found.traffic:,} captured inferences"
    share = "" if one.share is None else f" {percent(one.share, 0)} of {traffic} are like them."
    st.caption(
        f"{part.wrong:,} of {part.images:,} images (95% interval {percent(part.low)} to {percent(part.high)}), "
        f"against {part.rest:,} others; adjusted p = {part.p_value:.2g}.{share}"
    )
    grid = st.grid(_SHOWN, min_column_width=96, gap=10)
    for image in one.errors[:_SHOWN]:
        names = [plain(name.replace("_", " ")) for name in (image.prediction, image.label or "")]
        grid.image(
            enlarged(image.data),
            f"{names[0]}, labelled {names[1]}",
            width="stretch",
            alt=f"Predicted {image.prediction}, labelled {image.label}",
        )


def _row(one: WeakSlice) -> dict[str, str]:
    part = one.slice
    return {
        "Slice": plain(part.name),
        "Labelled images": f"{part.images:,}",
        "Wrong": percent(part.rate),
        "95% interval": f"{percent(part.low)} to {percent(part.high)}",
        "Rest wrong": percent(part.rest_rate),
        "Share of traffic": percent(one.share),
        "Adjusted p": f"{part.p_value:.2g}",
    }
