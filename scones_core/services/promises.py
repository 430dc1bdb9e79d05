"""Promises: a threshold with which at most a share of what is accepted is wrong, and the labels that one needs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scones_core.domain.audit_draw import AuditKind
from scones_core.domain.confidence import coverage
from scones_core.domain.known_answers import KnownAnswers
from scones_core.domain.promise import (
    Labels,
    PlannedAudit,
    Promise,
    cut_for,
    promise,
    start_for,
)
from scones_core.errors import BadInput, NotFound
from scones_core.services import audit_draws, audit_plans, audits
from scones_core.services.app import App
from scones_core.services.audits import Audited

FIRST, LATER = 0.25, 0.75  # shares of the error probability: audits of accuracy alone, and from a promise audit on


@dataclass(frozen=True)
class ProductionPromise:
    """What the audits of a model let promise about production.

    found : None if nothing can be promised yet.  coverage : share of the audited period that it accepts.
    labels_used : answers that it rests on, of these audits.  labels_needed : how many more, drawn above `cut`, are
    enough with probability .8; 0 if a promise is found, None if no number is.  above : inferences of the last audit's
    period that these could be drawn from.
    """

    model: str
    max_risk: float
    level: float
    found: Promise | None
    coverage: float
    audits: tuple[int, ...]
    labels_used: int
    labels_needed: int | None
    cut: float
    above: int


def production(app: App, *, max_risk: float, level: float) -> ProductionPromise:
    """What can be promised about the champion in production, valid over all looks together.

    Rests on the audits of accuracy with a quarter of the error probability, and, from the first promise audit on, on
    all audits since then with the rest.  An answer that nobody could give counts as an error.  Audits from before drift
    was found are about another production, and no longer count.
    Raises BadInput, NotFound (no such audit of this model).
    """
    check(max_risk, level)
    model = audit_draws.champion_of(app).id
    every = audits.current(app, model)
    if not every:
        raise NotFound(f"No audit of {model} that still counts: start one with audit start --kind promise.")
    first = next((i for i, one in enumerate(every) if one.audit.kind is AuditKind.PROMISE), None)
    chain = every if first is None else every[first:]
    share = FIRST if first is None else LATER
    allowed = 1 - share * (1 - level)
    labels, beginning = _labels(chain), chain[0]
    start = start_for(
        beginning.sample.confidences,
        beginning.probabilities,
        max_risk=max_risk,
        level=allowed,
        cut=beginning.audit.cut,
    )
    found = promise(labels, max_risk=max_risk, level=allowed, start=start)
    period = chain[-1].sample.confidences
    cut = cut_for(period, max_risk)
    needed: int | None = 0
    if found is None:  # a first promise audit promises alone: answers of audits of accuracy no longer count then
        plan = PlannedAudit(period, cut, max_risk, 1 - LATER * (1 - level), _known(app, model, labels))
        needed = (plan if first is None else replace(plan, given=labels, start=start)).labels()
    return ProductionPromise(
        model=model,
        max_risk=max_risk,
        level=level,
        found=found,
        coverage=coverage(period, found.threshold) if found else 0.0,
        audits=tuple(one.audit.id for one in chain),
        labels_used=len(labels.wrong),
        labels_needed=needed,
        cut=cut,
        above=int((period > cut).sum()),
    )


def check(max_risk: float, level: float) -> None:
    """Raises BadInput unless both are between 0 and 1."""
    if not (0 < max_risk < 1 and 0 < level < 1):
        raise BadInput("Risk and confidence must be between 0 and 1, such as 0.05 and 0.95.")


def _labels(chain: Sequence[Audited]) -> Labels:
    """The answers of the audits, one after another, with the cuts and weights of their draws."""
    parts = []
    for one in chain:
        wrong = np.nan_to_num(one.sample.wrong, nan=1.0).astype(bool)
        for probabilities, its in one.by_draw():
            least, rows = float(probabilities[probabilities > 0].min()), one.sample.rows[its]
            cuts = np.full(len(rows), one.audit.cut)
            parts.append((one.sample.confidences[rows], wrong[its], least / probabilities[rows], cuts))
    return Labels(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def labels_needed(app: App, *, max_risk: float, level: float) -> int | None:
    """How many labels a first promise audit of the champion needs to keep a promise with probability .8.

    Raises BadInput, NotFound (no model in service, no inferences, nothing known of how often it is right).
    """
    check(max_risk, level)
    period, (known, _) = audit_draws.period(app), audit_plans.known_answers(app, audit_draws.champion_of(app).id)
    return PlannedAudit(period, cut_for(period, max_risk), max_risk, 1 - LATER * (1 - level), known).labels()


def _known(app: App, model: str, labels: Labels) -> KnownAnswers:
    """What is known of a model's answers; if that is nothing, these labels."""
    try:
        return audit_plans.known_answers(app, model)[0]
    except NotFound:
        return KnownAnswers(labels.confidences, (~labels.wrong).astype(float), labels.weights)
