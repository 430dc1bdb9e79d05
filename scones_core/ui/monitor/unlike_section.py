"""Captured images that are unlike the training images of the model in service."""

import streamlit as st

from scones_core.domain.review import Strategy
from scones_core.services import App, deployment, likeness, queues
from scones_core.services.likeness import FALSE_ALARMS, Unlike
from scones_core.services.queues import QueueEntry
from scones_core.ui.shell.images import Tile, tiles
from scones_core.ui.shell.navigation import PageName
from scones_core.ui.shell.session import shown_errors
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.user import user
from scones_core.ui.shell.widgets import percent

SHOWN = 40
NEWS = 30  # seconds until images compared in the meantime are looked for


def unlike_section(app: App) -> None:
    """How many do not belong, the least similar ones, and a button to review them; nothing before any was compared."""
    champion = deployment.champion(app)
    found = _unlike(app, str(app.settings.home), champion.number) if champion else None
    if champion is None or found is None or not found.compared:
        return
    st.header("Unlike the training images", anchor=False)
    share = percent(found.unlike / found.compared)
    st.markdown(
        f"**{found.unlike:,} of {found.compared:,}** captured images that {champion.id} classified ({share}) are less "
        f"similar to its training images than {percent(1 - FALSE_ALARMS, 0)} of these are to each other."
    )
    st.caption(
        f"Similarity: mean cosine of the embedding with the ten nearest of {found.images:,} training images; unlike "
        f"below {found.level:.2f}. About {percent(FALSE_ALARMS, 0)} are expected by chance."
    )
    if not found.strangers:
        return
    with shown_errors():
        if st.button(f"Review these {len(found.strangers)}", icon=":material/rate_review:", key="review_unlike"):
            _review(app, found)
    tiles(app, [_tile(one) for one in found.strangers])


@st.cache_data(show_spinner=False, max_entries=8, ttl=NEWS)
def _unlike(_app: App, home: str, model: int) -> Unlike | None:
    return likeness.unlike(_app, model, count=SHOWN)


def _tile(one: likeness.Stranger) -> Tile:
    name = one.prediction.replace("_", " ")
    caption = f"{plain(name)} {percent(one.confidence)}  \nsimilarity {one.similarity:.2f}"
    words = f"{name}, confidence {percent(one.confidence)}, similarity {one.similarity:.2f}"
    return Tile("", one.image_sha256, caption, words, one.event_id)


def _review(app: App, found: Unlike) -> None:
    """Make a queue, and open it."""
    entries = [
        QueueEntry(one.event_id, f"Unlike the training images: similarity {one.similarity:.2f}")
        for one in found.strangers
    ]
    id = queues.create(app, "Unlike the training images", entries, strategy=Strategy.SELECTION, by=user())
    st.switch_page(PageName.REVIEW.path, query_params={"queue": str(id)})
