"""The confidence threshold in force, in the database, and what the workflow's functions are told."""

from scones_core import logs
from scones_core.db import settings
from scones_core.db.models import deployment_list
from scones_core.domain import confidence
from scones_core.errors import BadInput, Damaged, SconesError
from scones_core.services.app import App

ENDPOINT_NAME, THRESHOLD = "ENDPOINT_NAME", "THRESHOLD"  # variables of the functions
VARIABLES = "threshold"  # what is changed by one at a time

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
    with app.db.turn(VARIABLES):
        before = threshold(app)
        with app.db.write() as connection:  # durable first, so that a change that is cut short is put right
            settings.put(connection, "threshold", before, actor)
        app.backend.workflows.configure({**variables(app), THRESHOLD: repr(float(value))})
        with app.db.write() as connection:
            settings.put(connection, "threshold", float(value), actor)
    return value


def variables(app: App) -> dict[str, str]:
    """What the functions have to be told: the endpoint once one was deployed, the threshold once one was set."""
    with app.db.read() as connection:
        stored = settings.get(connection, "threshold")
        deployed = deployment_list(connection, app.settings.endpoint)
    wanted = {ENDPOINT_NAME: app.settings.endpoint} if deployed else {}
    return wanted if stored is None else {**wanted, THRESHOLD: repr(float(stored))}


def settle_variables(app: App) -> None:
    """Tell the functions again what they have to know, where a change was cut short or their variables are damaged."""
    try:
        wanted = variables(app)
        if not wanted or wanted.items() <= _in_functions(app).items():
            return
        with app.db.turn(VARIABLES, timeout=0):  # no change of it is under way
            app.backend.workflows.configure(wanted := variables(app))
        log.warning("variables of the functions settled", **wanted)
    except SconesError as error:  # the app opens all the same
        log.warning("variables of the functions not settled", error=str(error))


def _in_functions(app: App) -> dict[str, str]:
    try:
        return dict(app.backend.workflows.environment())
    except Damaged:
        return {}
