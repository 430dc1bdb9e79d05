"""Accuracy expected from confidences alone, without a label."""

from scones_core.db import inferences as table
from scones_core.domain.audit import Estimate
from scones_core.domain.reliability import expected_accuracy as expected
from scones_core.errors import NotFound
from scones_core.services import deployment, drift_standing, monitoring
from scones_core.services.app import App


def expected_accuracy(app: App) -> Estimate | None:
    """Mean confidence of the champion's inferences since it came into service; labels is 0.

    None if drift is found, or cannot be excluded: then confidences say nothing.
    """
    champion = deployment.champion(app)
    since = deployment.in_service_since(app, champion) if champion else None
    if champion is None or since is None or not drift_standing.standing(app).believed:
        return None
    with app.db.read() as connection:
        sums = table.confidence_sums(connection, app.settings.endpoint, champion.number, since)
    try:
        measured = monitoring.measured(app)
    except NotFound:
        return None
    return expected(*sums, measured.confidences, measured.correct) if sums[0] else None
