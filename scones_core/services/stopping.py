"""When to stop labelling: the last labels taught the model little, or hardly changed what it predicts.

References
----------
[BLO09] Bloodgood, Vijay-Shanker, "A method for stopping active learning based on stabilizing predictions and the need
        for user-adjustable stopping", CoNLL 2009.  Section 4: the mean kappa of the last three trainings.
[ZHU07] Zhu, Hovy, "Active learning for word sense disambiguation with methods for addressing the class imbalance
        problem", EMNLP-CoNLL 2007.  The strategy “min-error”: the model is right on what it was least sure of.
"""

from dataclasses import dataclass

import numpy as np

from scones_core.db import reviewers as table
from scones_core.domain.models import ModelVersion
from scones_core.domain.review import Strategy
from scones_core.errors import Conflict, NotFound
from scones_core.services import deployment, etl, training
from scones_core.services.app import App

TRAININGS, STABLE = 3, 0.99  # [BLO09]
JUDGED, RIGHT = 50, 0.9  # labels looked at, and the share of them that the model had predicted [ZHU07]
UNSURE_FIRST = (Strategy.LEAST_CONFIDENCE, Strategy.MARGIN, Strategy.ENTROPY)


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
    """What speaks for stopping.

    model : in service.  judged : its newest predictions, at most JUDGED, that were reviewed with the least sure first.
    confirmed : those that reviewers gave the same label.  steps : up to three retrainings, the newest first.
    """

    model: str
    confirmed: int
    judged: int
    steps: tuple[LabelStep, ...]

    @property
    def learnt(self) -> bool:
        """Whether the model was right on what it was least sure of."""
        return self.judged >= JUDGED and self.confirmed >= RIGHT * self.judged

    @property
    def stable(self) -> bool:
        """Whether the last three retrainings hardly changed the predictions."""
        return len(self.steps) >= TRAININGS and float(np.mean([one.kappa for one in self.steps[:TRAININGS]])) >= STABLE

    @property
    def stop(self) -> bool:
        return self.learnt or self.stable


def hint(app: App) -> StoppingHint | None:
    """What the last labels were worth; None without a model in service. No label of a test image is used.

    Each model version is compared with the newest one trained on its dataset version's parent, where both have been
    evaluated on the same test images.
    """
    champion = deployment.champion(app)
    if champion is None:
        return None
    with app.db.read() as connection:
        decided = table.decisions_in_order(connection, champion.number, UNSURE_FIRST, JUDGED)
    confirmed = sum(one["label"] == one["prediction_name"] for one in decided)
    return StoppingHint(champion.id, confirmed, len(decided), tuple(_steps(app)))


def _steps(app: App) -> list[LabelStep]:
    models, found = training.models(app), list[LabelStep]()
    for after in models:
        parent = etl.get(app, after.dataset).parent
        before = next((model for model in models if model.dataset == parent and model.number < after.number), None)
        step = _step(app, before, after) if before else None
        if step:
            found.append(step)
        if len(found) == TRAININGS:
            break
    return found


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
