"""The confidence threshold in force: in the database, which pages go by, and in the function that filters."""

from scones_core import logs
from scones_core.db import settings
from scones_core.domain import confidence
from scones_core.errors import BadInput, Damaged, SconesError
from scones_core.services.app import App

VARIABLE = "THRESHOLD"

log = logs.get(__name__)


def threshold(app: App) -> float:
    """The threshold in force."""
    with app.db.read() as connection:
        stored = settings.get(connection, "threshold")
    return confidence.DEFAULT_THRESHOLD if stored is None else float(stored)


@logs.use_case
def set_threshold(app: App, value: float, *, actor: str = "") -> float:
    """Set the threshold, here and in the filtering function. Raises BadInput outside [0, 1)."""
    if not 0 <= value < 1:
        raise BadInput(f"The threshold {value} is not at least 0 and below 1: a usual value is 0.93.")
    before = threshold(app)
    with (
        app.db.write() as connection
    ):  # durable first, so that a change that is cut short can be told from one that is not
        settings.put(connection, "threshold", before, actor)
    with app.db.write() as connection:
        app.backend.workflows.configure({VARIABLE: repr(float(value))})
        settings.put(connection, "threshold", float(value), actor)
    return value


def settle_threshold(app: App) -> None:
    """Give the filtering function the threshold in force again, where a change of it was cut short."""
    with app.db.read() as connection:
        stored = settings.get(connection, "threshold")
    try:
        if stored is None or _in_function(app) == float(stored):
            return
        with app.db.write() as connection:  # no change is under way any more
            value = float(settings.get(connection, "threshold"))
            app.backend.workflows.configure({VARIABLE: repr(value)})
        log.warning("threshold settled", threshold=value)
    except SconesError as error:  # the app opens all the same
        log.warning("threshold not settled", error=str(error))


def _in_function(app: App) -> float | None:
    try:
        return float(app.backend.workflows.environment()[VARIABLE])
    except (KeyError, ValueError, Damaged):
        return None
