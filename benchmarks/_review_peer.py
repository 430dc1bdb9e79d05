"""The peer of the review desk: the same use cases behind Streamlit's own buttons with shortcuts, in a fragment."""

import streamlit as st

from scones_core.services import capture, review
from scones_core.ui.shell.images import enlarged
from scones_core.ui.shell.session import get_app

st.title("Peer", anchor=False)
app = get_app()


@st.fragment
def desk() -> None:
    (item,) = review.next_items(app, "peer", count=1)
    st.image(enlarged(capture.image(app, item.id), 384), width=384, alt=item.id)
    for place, label in enumerate(review.labels(app)[:2], start=1):
        st.button(
            label,
            key=f"{item.id}-{label}",
            shortcut=str(place),
            on_click=lambda label=label: review.decide(app, item.id, label, "peer", key=item.id),
        )


desk()
