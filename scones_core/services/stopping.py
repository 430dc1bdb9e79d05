"""When to stop labelling: the last labels hardly changed what the model predicts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scones_core.domain.models import ModelVersion
from scones_core.errors import Conflict, NotFound
from scones_core.services import etl, training
from scones_core.services.app import App

TRAININGS, STABLE = 3, 0.99  # Source: Bloodgood & Vijay-Shanker 2009, "A method for stopping active learning based on
# stabilizing predictions and the need for user-adjustable stopping", section 4: the mean kappa of the last three


@dataclass(frozen=True)
class LabelStep:
    """What the labels between two model versions changed.

    labels : new ones of the later version.  changed : predictions for the `images` test images that differ.
    kappa : Cohen's, of both versions' predictions; 1 if all are alike.
    """

    before: str
    after: str
    labels: int
    changed: int
    images: int
    kappa: float


@dataclass(frozen=True)
class StoppingHint:
    """steps : up to three, the newest first.  stop : the predictions are stable over all three."""

    steps: tuple[LabelStep, ...]
    stop: bool


def hint(app: App) -> StoppingHint | None:
    """What the last labels changed; None before the first retraining. No label of a test image is used.

    Each model version is compared with the newest one trained on its dataset version's parent, where both have been
    evaluated on the same test images.
    """
    models, found = training.models(app), list[LabelStep]()
    for after in models:
        parent = etl.get(app, after.dataset).parent
        before = next((model for model in models if model.dataset == parent and model.number < after.number), None)
        step = _step(app, before, after) if before else None
        if step:
            found.append(step)
        if len(found) == TRAININGS:
            break
    if not found:
        return None
    return StoppingHint(tuple(found), is_stable(found))


def is_stable(steps: Sequence[LabelStep]) -> bool:
    """Whether the last three retrainings hardly changed the predictions."""
    return len(steps) >= TRAININGS and float(np.mean([step.kappa for step in steps[:TRAININGS]])) >= STABLE


def _step(app: App, before: ModelVersion, after: ModelVersion) -> LabelStep | None:
    from sklearn.metrics import cohen_kappa_score  # most of a second, which other pages do without

    try:
        evaluations = [training.evaluation(app, model, after.dataset) for model in (before, after)]
    except (NotFound, Conflict):  # not evaluated yet, or of other classes
        return None
    old, new = (np.argmax(one.probabilities, axis=1) for one in evaluations)
    changed = int(np.sum(old != new))
    kappa = float(cohen_kappa_score(old, new)) if changed else 1.0
    labels = evaluations[1].dataset.new_labels
    return LabelStep(before.id, after.id, labels, changed, len(old), kappa)
