"""Classes that reviewers propose, for an operator to accept or decline."""

from functools import partial

import streamlit as st

from scones_core.services import App, class_proposals, reviewers
from scones_core.services.class_proposals import ProposedClass
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.text import plain


def proposals(app: App, name: str) -> None:
    """The open proposals; nothing if there are none.  name : who accepts or declines."""
    found = class_proposals.proposed(app)
    if not found:
        return
    st.header("Proposed classes", anchor=False)
    st.caption(
        "An accepted class can be chosen for every image, and becomes the label of the images it was proposed for."
    )
    for one in found:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(one.name)}**", width="content")
            images = f"{one.images:,} image{'' if one.images == 1 else 's'}"
            st.caption(f"{images} · proposed by {plain(', '.join(one.by))}", width="stretch")
            if not reviewers.is_operator(app, name):
                continue
            accept, decline = partial(_accept, app, one, name), partial(_decline, app, one, name)
            action_button("Accept", accept, key=f"accept-{one.name}", icon=":material/check:")
            action_button("Decline", decline, key=f"decline-{one.name}", icon=":material/close:")


def _accept(app: App, one: ProposedClass, by: str) -> str:
    class_proposals.accept(app, one.name, by)
    return f"Class {one.name} accepted"


def _decline(app: App, one: ProposedClass, by: str) -> str:
    class_proposals.decline(app, one.name, by)
    return f"Class {one.name} declined"
