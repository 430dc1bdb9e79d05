"""A button that makes a review queue of images selected on Monitor, and the link to the queue it made."""

from collections.abc import Callable, Hashable, Sequence

import streamlit as st

from scones_core.domain.review import Strategy
from scones_core.services import App, queues
from scones_core.services.queues import QueueEntry
from scones_core.ui.shell.navigation import PageName, link
from scones_core.ui.shell.user import user


def review_button(
    app: App,
    text: str,
    entries: Callable[[], Sequence[QueueEntry]],
    *,
    name: str,
    selection: Hashable,
    key: str,
    disabled: bool = False,
) -> None:
    """entries : of the queue.  selection : what is selected; the link stands only beside the selection it is of.

    A link opens the queue: after a switch by the server, a rerun already asked for would lead back.
    """
    help = "Makes a review queue of these images."
    if st.button(text, icon=":material/rate_review:", key=key, disabled=disabled, help=help):
        chosen = entries()
        id = queues.create(app, name[: queues.LONGEST_NAME], chosen, strategy=Strategy.SELECTION, by=user())
        st.session_state[f"{key}_made"] = (selection, id, len(chosen))
    of, queue, size = st.session_state.get(f"{key}_made", (None, 0, 0))
    if of == selection:
        link(PageName.REVIEW, f"Open the queue of {size:,} images", query={"queue": str(queue)})
