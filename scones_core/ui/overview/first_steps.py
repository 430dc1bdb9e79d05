"""What an empty home offers: see the loop run, bring images, or bring captures."""

from pathlib import Path

import streamlit as st

from scones_core.services import App
from scones_core.ui.overview.demo_view import demo_controls
from scones_core.ui.shell.import_captures import import_button
from scones_core.ui.shell.navigation import PageName

_PICTURES = Path(__file__).with_name("doors")


def first_steps(app: App) -> None:
    """Three cards, one for each way to begin."""
    demo, data, captures = st.columns(3, gap="medium")
    with demo, _card("demo", "See it work", "A model is trained, classifies, is corrected and retrained, in a minute."):
        demo_controls()
    with data, _card("data", "Start with your images", "A folder, a zip, CIFAR-100: labelled images make a dataset."):
        if st.button("Load images", icon=PageName.DATA.icon, key="first_images"):
            st.switch_page(PageName.DATA.path)
    with captures, _card("captures", "Read captures you have", "Files that an endpoint of yours has written already."):
        import_button(app, key="first_import")


def _card(picture: str, title: str, about: str) -> "st.delta_generator.DeltaGenerator":
    card = st.container(border=True, height="stretch")
    card.image(_PICTURES / f"{picture}.svg", width="stretch", alt="")
    card.header(title, anchor=False)
    card.write(about)
    return card
