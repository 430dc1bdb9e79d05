"""The review desk: one large image, its probabilities, and keys to label it.

The browser preloads the next images, so that a key press shows the next one at once. Decisions are numbered and kept
in the browser until the server has confirmed them.
"""

import base64
import io
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from PIL import Image, ImageOps

from scones_core.errors import BadImage, SconesError
from scones_core.services import App, capture
from scones_core.services.review_items import Item
from scones_core.ui.review.keys import SKIP_KEY, UNDO_KEY, AnswerKey, Desk, choices, entries
from scones_core.vision.images import decode

_HERE = Path(__file__).parent
_SMALL, _SIDE = 64, 256  # images up to _SMALL pixels are enlarged to _SIDE; larger ones are fitted into twice _SIDE


@cache
def _component() -> Any:
    return st.components.v2.component(
        "scones_review_desk",
        html='<div class="desk"></div>',
        css=(_HERE / "desk.css").read_text("utf-8"),
        js=(_HERE / "desk.js").read_text("utf-8"),
    )


def review_desk(app: App, desk: Desk, *, keys: bool) -> None:
    """Show the desk; keys : whether single keys label. Decisions are recorded before the rerun they trigger."""
    key = f"desk-{desk.id}"

    def decided() -> None:
        desk.take(app, entries(st.session_state[key].get("outbox")))

    desk.refill(app)
    _component()(key=key, data={**_data(app, desk), "keys": keys}, on_outbox_change=decided)


def _data(app: App, desk: Desk) -> dict[str, Any]:
    return {
        "done": desk.done,
        "items": [_shown(app, item) for item in desk.waiting],
        "skip": SKIP_KEY,
        "undo": UNDO_KEY,
    }


def _choice(choice: AnswerKey) -> dict[str, str]:
    return {"label": choice.label, "text": choice.text, "key": choice.key}


def _shown(app: App, item: Item) -> dict[str, Any]:
    """Without the file name, which often gives the label away."""
    most = sorted(item.probabilities.items(), key=lambda entry: -entry[1])[:8]
    shown = dict(most) if len(item.probabilities) > 8 else item.probabilities
    smooth, pixels = _shown_pictures(app, item.id)
    return {
        "id": item.id,
        "prediction": item.prediction.replace("_", " "),
        "confidence": item.confidence,
        "choices": [_choice(choice) for choice in choices(item.classes)],
        "model": item.model,
        "why": item.why,
        "probabilities": [[name.replace("_", " "), value] for name, value in shown.items()],
        "expires": int(item.lease_expires.timestamp() * 1000),
        "smooth": smooth,
        "pixels": pixels,
    }


@st.cache_data(show_spinner=False, max_entries=200)
def _pictures(_home: str, event_id: str, _app: App) -> tuple[str, str]:
    """Data URIs of the captured image: enlarged, and at its own size (empty for large images)."""
    return pictures(capture.image(_app, event_id))


def _shown_pictures(app: App, event_id: str) -> tuple[str, str]:
    """Empty if the image is missing; the desk then says that it cannot be shown."""
    try:
        return _pictures(str(app.settings.home), event_id, app)
    except SconesError:
        return "", ""


def pictures(data: bytes) -> tuple[str, str]:
    """Data URIs of the image, enlarged and at its own size; both empty if it cannot be read."""
    try:
        image = decode(data)
    except BadImage:
        return "", ""
    small = max(image.size) <= _SMALL
    side = _SIDE if small else 2 * _SIDE
    smooth = ImageOps.contain(image, (side, side), Image.Resampling.LANCZOS)
    return _uri(smooth, "WEBP"), _uri(image, "PNG") if small else ""


def _uri(image: Image.Image, format: str) -> str:
    written = io.BytesIO()
    image.save(written, format, quality=92)
    return f"data:image/{format.lower()};base64,{base64.b64encode(written.getvalue()).decode()}"
