"""Accuracy expected from confidences alone, without a label."""

import numpy as np

from scones_core.db import inferences as table
from scones_core.domain.audit import Estimate
from scones_core.errors import NotFound
from scones_core.services import deployment, drift_standing, training
from scones_core.services.app import App

Z = 1.959963984540054  # the normal quantile of 97.5 %


def expected_accuracy(app: App) -> Estimate | None:
    """Mean confidence of the champion's inferences since it came into service; labels is 0.

    None if drift is found, or cannot be excluded: then confidences say nothing.  The interval allows for chance,
    and for the confidences' own error as far as the test images tell it.
    """
    champion = deployment.champion(app)
    since = deployment.in_service_since(app, champion) if champion else None
    if champion is None or since is None or not drift_standing.standing(app).believed:
        return None
    with app.db.read() as connection:
        confidences = table.confidences_of_model(connection, app.settings.endpoint, champion.number, since)
    try:
        measured = training.evaluation(app, champion, champion.dataset)
    except NotFound:
        return None
    probabilities = np.asarray(measured.probabilities, dtype=float)
    errors = (probabilities.argmax(axis=1) == np.asarray(measured.labels)) - probabilities.max(axis=1)
    chance = float((confidences * (1 - confidences)).sum()) / len(confidences) ** 2
    value, half = float(confidences.mean()), Z * (chance + float(errors.var()) / len(errors)) ** 0.5
    return Estimate(value, (max(0.0, value - half), min(1.0, value + half)), 0, len(confidences))
