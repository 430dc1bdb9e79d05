"""Captured images that start like an image but cannot be decoded: they are excluded from review."""

from collections.abc import Mapping, Sequence
from typing import Any

from scones_core import logs
from scones_core.bounded_map import bounded_map
from scones_core.db import reviews as table
from scones_core.errors import BadImage, SconesError
from scones_core.services import capture
from scones_core.services.app import App
from scones_core.vision.images import decode

log = logs.get(__name__)


def set_aside(app: App, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Exclude undecodable images from review; returns whether there were any."""
    reasons = bounded_map(lambda row: _why_unreadable(app, row["event_id"]), rows, app.backend.objects.at_once)
    unreadable = {row["image_sha256"]: why for row, why in zip(rows, reasons, strict=True) if why}
    if unreadable:
        log.warning("captured images cannot be decoded", images=len(unreadable))
        with app.db.write() as connection:
            table.set_unreadable(connection, unreadable)
    return bool(unreadable)


def _why_unreadable(app: App, id: str) -> str | None:
    try:
        decode(capture.image(app, id))
    except BadImage as error:
        return str(error)
    except SconesError:  # it is missing now; the desk says so
        return None
    return None
