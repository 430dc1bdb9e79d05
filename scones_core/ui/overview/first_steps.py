"""What an empty home offers: see the loop run, bring images, or bring captures."""

from pathlib import Path
from typing import Any

import streamlit as st

from scones_core.services import App
from scones_core.ui.overview.demo_view import demo_controls
from scones_core.ui.shell.import_captures import import_button
from scones_core.ui.shell.navigation import PageName

_PICTURES = Path(__file__).with_name("doors")


def first_steps(app: App) -> None:
    """Three cards, one for each way to begin."""
    grid = st.grid(3, min_column_width=250, gap="medium")
    with _card(grid, "demo", "See it work", "A model is trained, classifies, is corrected and retrained, in a minute."):
        demo_controls()
    with _card(grid, "data", "Start with your images", "A folder, a zip, CIFAR-100: labelled images make a dataset."):
        if st.button("Load images", icon=PageName.DATA.icon, key="first_images"):
            st.switch_page(PageName.DATA.path)
    with _card(grid, "captures", "Read captures you have", "Files that an endpoint of yours has written already."):
        import_button(app, key="first_import")


def _card(grid: Any, picture: str, title: str, about: str) -> "st.delta_generator.DeltaGenerator":
    card: st.delta_generator.DeltaGenerator = grid.container(border=True, height="stretch")
    card.image(_PICTURES / f"{picture}.svg", width="stretch", alt="")
    card.header(title, anchor=False)
    card.write(about)
    return card
