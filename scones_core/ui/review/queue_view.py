"""A review queue on the page: which one is open, whose it is, and how far it is."""

import streamlit as st

from scones_core.domain.review import KINDS, ORDERS, ReviewFilter, Strategy
from scones_core.errors import NotFound
from scones_core.services import App, queue_making, queues
from scones_core.services.queues import ReviewQueue
from scones_core.ui.shell import navigation
from scones_core.ui.shell.actions import confirm_or_cancel
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import time_text

PARAMETER = "queue"  # of the page's URL
SIZE = 100  # images of a new queue, unless asked otherwise
ORDER_NAMES = {
    Strategy.LEAST_CONFIDENCE: "Least confident",
    Strategy.MARGIN: "Smallest margin",
    Strategy.ENTROPY: "Highest entropy",
    Strategy.RANDOM: "Random",
    Strategy.NEWEST: "Newest",
    Strategy.OLDEST: "Oldest",
}
_KINDS = ORDER_NAMES | {
    Strategy.TYPICAL: "Typical: the centre of each group of images alike",
    Strategy.AUDIT: "Audit: drawn with known probabilities",
    Strategy.SELECTION: "Selected images",
    Strategy.DISAGREEMENT: "Champion and challenger disagree",
    Strategy.LABEL_ERRORS: "Suspected label errors",
    Strategy.ADJUDICATION: "Reviewers disagree or are unsure",
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
    kind = _KINDS[queue.strategy]
    if queue.reviewers > 1:
        kind += f" · {queue.reviewers} reviewers per image"
    st.caption(f"{kind} · created by {plain(queue.created_by)}, {time_text(queue.created)}")


def queue_progress(app: App, id: int) -> None:
    """How many images of a queue are decided."""
    done = queues.progress(app, id)
    share = done.decided / done.size if done.size else 1.0
    st.progress(share, text=f"{done.decided:,} of {done.size:,} images of this queue decided.")


def queue_list(app: App, name: str, classes: tuple[str, ...], models: list[str]) -> None:
    """All queues with owner and progress, each a link to share; and the button that makes one."""
    st.header("Queues", anchor=False)
    found = queues.queues(app)
    if not found:
        st.caption("No queues yet. A queue is a list of images to review, shared by its link.")
    for queue in found:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            query = {PARAMETER: str(queue.id)}
            navigation.link("review", plain(queue.name), query=query, icon=":material/playlist_play:")
            done = queue.progress
            about = f"{done.decided:,} of {done.size:,} decided · {_KINDS[queue.strategy]} · {plain(queue.created_by)}"
            st.caption(about, width="stretch")
    if st.button("New queue", icon=":material/playlist_add:", key="new_queue"):
        _new_queue(app, name, classes, models)


@st.dialog("New queue", icon=":material/playlist_add:")
def _new_queue(app: App, name: str, classes: tuple[str, ...], models: list[str]) -> None:
    title = st.text_input("Name", max_chars=queues.LONGEST_NAME, key="queue_name")
    cold = queue_making.is_cold(app)
    first = KINDS.index(Strategy.TYPICAL) if cold else 0
    strategy: Strategy = st.selectbox("Images", KINDS, first, format_func=_KINDS.__getitem__, key="queue_strategy")
    if cold:
        st.caption("The model has few labels to learn from: typical images help it more than those it is unsure of.")
    size = int(st.number_input("Size", 1, queue_making.LARGEST, SIZE, key="queue_size"))
    reviewers = int(st.number_input("Reviewers per image", 1, 9, 1, key="queue_reviewers"))
    filter = ReviewFilter()
    if strategy in (*ORDERS, Strategy.TYPICAL):
        predicted = st.selectbox("Predicted class", [None, *classes], format_func=_or_any, key="queue_predicted")
        model = st.selectbox("Model", [None, *models], format_func=_or_any, key="queue_model")
        filter = ReviewFilter(model=model, predicted=predicted)

    def make() -> str:
        id = queue_making.make(app, title, strategy, size=size, by=name, filter=filter, reviewers=reviewers)
        st.query_params[PARAMETER] = str(id)
        return f"Queue {title} created"

    confirm_or_cancel("Create queue", make, key="new_queue", icon=":material/check:", disabled=not title.strip())


def _or_any(value: str | None) -> str:
    return "Any" if value is None else value.replace("_", " ")
