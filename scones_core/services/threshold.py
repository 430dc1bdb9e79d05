"""The confidence threshold, in the database and in the environment of the workflow's functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scones_core import logs
from scones_core.db import settings
from scones_core.db.models import deployment_list
from scones_core.domain import confidence
from scones_core.errors import BadInput, Damaged, NotFound, SconesError
from scones_core.services.app import App

ENDPOINT_NAME, THRESHOLD = "ENDPOINT_NAME", "THRESHOLD"  # environment variables of the functions
VARIABLES = "threshold"  # lock name
CHANGE = "threshold_change"  # setting in which each change is recorded

log = logs.get(__name__)


def threshold(app: App) -> float:
    """The current threshold."""
    with app.db.read() as connection:
        stored = settings.get(connection, "threshold")
    return confidence.DEFAULT_THRESHOLD if stored is None else float(stored)


@dataclass(frozen=True)
class ThresholdChange:
    """evidence : what the new threshold rests on, as figures by name; empty if it was chosen by hand."""

    time: datetime
    actor: str
    before: float
    threshold: float
    evidence: Mapping[str, Any]


@logs.use_case
def set_threshold(app: App, value: float, *, actor: str = "", evidence: Mapping[str, Any] | None = None) -> float:
    """Set the threshold, here and in the filtering function; the change is recorded with its evidence.

    Raises BadInput outside [0, 1).
    """
    if not 0 <= value < 1:
        raise BadInput(f"The threshold {value} is out of range: choose at least 0 and below 1, such as 0.93.")
    with app.db.turn(VARIABLES):
        before = threshold(app)
        with app.db.write() as connection:  # database first: an interrupted change is repaired on the next start
            settings.put(connection, "threshold", before, actor)
        app.backend.workflows.configure({**variables(app), THRESHOLD: repr(float(value))})
        with app.db.write() as connection:
            settings.put(connection, "threshold", float(value), actor)
            change = {"before": before, "threshold": float(value), "evidence": dict(evidence or {})}
            settings.put(connection, CHANGE, change, actor)
    return value


def changes(app: App) -> list[ThresholdChange]:
    """All changes of the threshold, newest first."""
    with app.db.read() as connection:
        rows = settings.history(connection, CHANGE)
    return [ThresholdChange(time, actor, **value) for value, time, actor in rows]


@logs.use_case
def take_back(app: App, *, actor: str = "") -> float:
    """Return to the threshold before the last change, which is a change, too. Raises NotFound without one."""
    found = changes(app)
    if not found:
        raise NotFound("The threshold has not been changed yet: there is nothing to take back.")
    return set_threshold(app, found[0].before, actor=actor, evidence={"takes_back": found[0].threshold})


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
