"""A review queue on the page: which one is open, whose it is, and how far it is."""

import streamlit as st

from scones_core.domain.review import Strategy
from scones_core.errors import NotFound
from scones_core.services import App, queues
from scones_core.services.queues import ReviewQueue
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import time_text

PARAMETER = "queue"  # of the page's URL
_KINDS = {
    Strategy.AUDIT: "Audit: drawn with known probabilities",
    Strategy.SELECTION: "Selected images",
    Strategy.DISAGREEMENT: "Champion and challenger disagree",
    Strategy.LABEL_ERRORS: "Suspected label errors",
    Strategy.ADJUDICATION: "Adjudication",
}


def opened_queue(app: App) -> ReviewQueue | None:
    """The queue that the URL names; None for none. Raises NotFound."""
    asked = st.query_params.get(PARAMETER)
    if asked is None:
        return None
    if not asked.isascii() or not asked.isdigit() or len(asked) > 9:
        raise NotFound(f"No review queue “{asked[:20]}”: choose one of the queues on Review.")
    return queues.get(app, int(asked))


def queue_header(queue: ReviewQueue) -> None:
    """Name, kind and owner of the open queue, and the way out of it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"## {plain(queue.name)}", width="stretch")
        if st.button("Close queue", icon=":material/close:", key="close_queue"):
            del st.query_params[PARAMETER]
            st.rerun()
    kind = _KINDS.get(queue.strategy, "Ranked")
    st.caption(f"{kind} · created by {plain(queue.created_by)}, {time_text(queue.created)}")


def queue_progress(app: App, id: int) -> None:
    """How many images of a queue are decided."""
    done = queues.progress(app, id)
    share = done.decided / done.size if done.size else 1.0
    st.progress(share, text=f"{done.decided:,} of {done.size:,} images of this queue decided.")
