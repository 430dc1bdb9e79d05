"""The review desk: one large image, its probabilities, and keys to label it.

The browser preloads the next images, so that a key press shows the next one at once. Decisions are numbered and kept
in the browser until the server has confirmed them.
"""

import base64
import hashlib
import io
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from PIL import Image, ImageOps

from scones_core.errors import BadImage, SconesError
from scones_core.services import App, capture, likeness, review_figures
from scones_core.services.likeness import Mark
from scones_core.services.review_items import Item
from scones_core.ui.review.keys import COMMANDS, ONE_KEY, Desk, choices, entries, most_probable
from scones_core.vision.images import decode

_HERE = Path(__file__).parent
_SMALL, _SIDE = 64, 256  # images up to _SMALL pixels are enlarged to _SIDE; larger ones are fitted into twice _SIDE
_MOST_SHOWN = 3  # probabilities, if there are more than nine classes
_FULL = 1600  # pixels that a large image has at most when zoomed into


@cache
def _component() -> Any:
    return st.components.v2.component(
        "scones_review_desk",
        html='<div class="desk"></div>',
        css=(_HERE / "desk.css").read_text("utf-8"),
        js="\n".join((_HERE / name).read_text("utf-8") for name in ("outbox.js", "desk_view.js", "desk.js")),
    )


def review_desk(app: App, desk: Desk, *, keys: bool) -> None:
    """Show the desk; keys : whether single keys label. Decisions are recorded before the rerun they trigger."""
    key = f"desk-{desk.id}"

    def decided() -> None:
        desk.take(app, entries(st.session_state[key].get("outbox")))

    desk.refill(app)
    data = {**_data(app, desk), "keys": keys}
    _component()(key=key, data=data, on_outbox_change=decided, on_wake_change=lambda: None)


def _data(app: App, desk: Desk) -> dict[str, Any]:
    held = [] if desk.waiting else review_figures.held_by_others(app, desk.reviewer, queue=desk.queue)
    marks = likeness.marks(app, [item.id for item in desk.waiting])
    return {
        "store": store(app, desk.reviewer),
        "done": desk.done,
        "refused": desk.refused,
        "loaded": True,
        "items": [
            {**_shown(app, item, near=place < 2), "why": _why(item, marks.get(item.id))}
            for place, item in enumerate(desk.waiting)
        ],
        "held": [{"reviewer": one.reviewer, "until": _milliseconds(one.expires)} for one in held],
        "commands": COMMANDS,
    }


def store(app: App, reviewer: str) -> str:
    """Names the place in the browser's storage for what this reviewer has not saved in this home."""
    home = app.settings.database_url.get_secret_value() if app.settings.database_url else app.settings.home.resolve()
    return hashlib.sha256(f"{home}\n{reviewer}".encode()).hexdigest()[:16]


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def _why(item: Item, mark: Mark | None) -> str:
    """Why the image is shown, and whether it is unlike the training images."""
    unlike = f"Unlike the training images (similarity {mark.similarity:.2f})" if mark and mark.unlike else ""
    return " · ".join(filter(None, (item.why, unlike)))


def _shown(app: App, item: Item, *, near: bool) -> dict[str, Any]:
    """Without the file name, which often gives the label away.  near : with the large copy, for zooming."""
    many = len(item.probabilities) > ONE_KEY
    most = sorted(item.probabilities.items(), key=lambda entry: -entry[1])[:_MOST_SHOWN]
    shown = dict(most) if many else item.probabilities
    smooth, pixels, full = _shown_pictures(app, item.id)
    return {
        "id": item.id,
        "prediction": item.prediction.replace("_", " "),
        "confidence": item.confidence,
        "answer": item.prediction,
        "choices": [vars(choice) for choice in choices(item.classes)],
        "top": [vars(choice) for choice in most_probable(item.classes, item.probabilities)],
        "model": item.model,
        "probabilities": [[name.replace("_", " "), value] for name, value in shown.items()],
        "expires": _milliseconds(item.lease_expires),
        "revision": item.revision,
        "smooth": smooth,
        "pixels": pixels,
        "full": full if near else "",
    }


@st.cache_data(show_spinner=False, max_entries=200)
def _pictures(_home: str, event_id: str, _app: App) -> tuple[str, str, str]:
    """Data URIs of the captured image, as `pictures` makes them."""
    return pictures(capture.image(_app, event_id))


def _shown_pictures(app: App, event_id: str) -> tuple[str, str, str]:
    """Empty if the image is missing; the desk then says that it cannot be shown."""
    try:
        return _pictures(str(app.settings.home), event_id, app)
    except SconesError:
        return "", "", ""


def pictures(data: bytes) -> tuple[str, str, str]:
    """Data URIs of the image: of the desk's size; a small one at its own size; a large one with more pixels, to zoom.

    The last two are empty for images of other sizes, all three if the image cannot be read.
    """
    try:
        image = decode(data)
    except BadImage:
        return "", "", ""
    small = max(image.size) <= _SMALL
    side = _SIDE if small else 2 * _SIDE
    smooth = ImageOps.contain(image, (side, side), Image.Resampling.LANCZOS)
    large = max(image.size) > 2 * _SIDE
    full = _uri(ImageOps.contain(image, (_FULL, _FULL)) if max(image.size) > _FULL else image, "WEBP") if large else ""
    return _uri(smooth, "WEBP"), _uri(image, "PNG") if small else "", full


def _uri(image: Image.Image, format: str) -> str:
    written = io.BytesIO()
    image.save(written, format, quality=92)
    return f"data:image/{format.lower()};base64,{base64.b64encode(written.getvalue()).decode()}"
