"""The peer of the review desk: the same use cases behind Streamlit's own buttons with shortcuts, in a fragment."""

import streamlit as st

from scones_core.services import capture, review
from scones_core.ui.shell.images import enlarged
from scones_core.ui.shell.session import get_app

st.title("Peer", anchor=False)
app = get_app()


def decide(id: str, label: str) -> None:
    review.decide(app, id, label, "peer", key=id)


@st.fragment
def desk() -> None:
    (item,) = review.next_items(app, "peer", count=1)
    st.image(enlarged(capture.image(app, item.id), 384), width=384, alt=item.id)
    for place, label in enumerate(item.classes[:2], start=1):
        st.button(
            label,
            key=f"{item.id}-{label}",
            shortcut=str(place),
            on_click=decide,
            args=(item.id, label),
        )


desk()
