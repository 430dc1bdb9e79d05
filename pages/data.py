"""Data: load images and inspect the dataset."""

import streamlit as st

from scones_core.services import etl
from scones_core.ui.data.dataset_map import dataset_map
from scones_core.ui.data.dataset_view import (
    balance_of,
    corrections_table,
    dataset_summary,
    opened,
    opened_note,
    skipped_table,
    versions_table,
)
from scones_core.ui.data.gallery import gallery
from scones_core.ui.data.load_form import load_form
from scones_core.ui.data.suspects_view import suspects_view
from scones_core.ui.shell.model_charts import class_balance
from scones_core.ui.shell.session import get_app
from scones_core.ui.shell.widgets import next_step, page_header

page_header("Data", "Load labelled images. Each load creates an immutable dataset version.")
app = get_app()
current = etl.current(app)

with st.expander("Choose a source of images", expanded=current is None, icon=":material/add_photo_alternate:"):
    load_form(app, key="data")

if current is None:
    st.info(
        "No images yet. Choose a source above and press **Load images**; the generated sample is ready in seconds.",
        icon=":material/photo_library:",
    )
    st.stop()

version = opened(app, current)
opened_note(version, current)
dataset_summary(version)
images, likeness, suspects, balance, skipped, corrected, versions = st.tabs(
    [
        ":material/grid_view: Images",
        ":material/scatter_plot: Map",
        ":material/rule: Suspected labels",
        ":material/bar_chart: Class balance",
        f":material/block: Skipped ({len(version.skipped)})",
        f":material/fact_check: Test labels reviewed ({len(version.corrections)})",
        ":material/history: Versions",
    ]
)
with images:
    gallery(app, version)
with likeness:
    dataset_map(app, version)
with suspects:
    suspects_view(app, version, current=version == current)
with balance:
    class_balance(balance_of(app, version))
with skipped:
    skipped_table(version)
with corrected:
    corrections_table(version)
with versions:
    versions_table(app, etl.versions(app), current)
next_step("train", "Train a model on these images")
