"""The confidence threshold, in the database and in the environment of the workflow's functions."""

from scones_core import logs
from scones_core.db import settings
from scones_core.db.models import deployment_list
from scones_core.domain import confidence
from scones_core.errors import BadInput, Damaged, SconesError
from scones_core.services.app import App

ENDPOINT_NAME, THRESHOLD = "ENDPOINT_NAME", "THRESHOLD"  # environment variables of the functions
VARIABLES = "threshold"  # lock name

log = logs.get(__name__)


def threshold(app: App) -> float:
    """The current threshold."""
    with app.db.read() as connection:
        stored = settings.get(connection, "threshold")
    return confidence.DEFAULT_THRESHOLD if stored is None else float(stored)


@logs.use_case
def set_threshold(app: App, value: float, *, actor: str = "") -> float:
    """Set the threshold, here and in the filtering function. Raises BadInput outside [0, 1)."""
    if not 0 <= value < 1:
        raise BadInput(f"The threshold {value} is out of range: choose at least 0 and below 1, such as 0.93.")
    with app.db.turn(VARIABLES):
        before = threshold(app)
        with app.db.write() as connection:  # database first: an interrupted change is repaired on the next start
            settings.put(connection, "threshold", before, actor)
        app.backend.workflows.configure({**variables(app), THRESHOLD: repr(float(value))})
        with app.db.write() as connection:
            settings.put(connection, "threshold", float(value), actor)
    return value


def variables(app: App) -> dict[str, str]:
    """Variables of the functions: the endpoint once deployed, the threshold once set."""
    with app.db.read() as connection:
        stored = settings.get(connection, "threshold")
        deployed = deployment_list(connection, app.settings.endpoint)
    wanted = {ENDPOINT_NAME: app.settings.endpoint} if deployed else {}
    return wanted if stored is None else {**wanted, THRESHOLD: repr(float(stored))}


def settle_variables(app: App) -> None:
    """Restore the functions' variables after an interrupted change or damage."""
    try:
        wanted = variables(app)
        if not wanted or wanted.items() <= _in_functions(app).items():
            return
        with app.db.turn(VARIABLES, timeout=0):  # no change is running
            app.backend.workflows.configure(wanted := variables(app))
        log.warning("variables of the functions restored", **wanted)
    except SconesError as error:  # the app opens nevertheless
        log.warning("variables of the functions not restored", error=str(error))


def _in_functions(app: App) -> dict[str, str]:
    try:
        return dict(app.backend.workflows.environment())
    except Damaged:
        return {}
