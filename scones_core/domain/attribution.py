"""Attribution of captured inferences to model versions, from the deployment history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scones_core.domain.models import TRIAL_VARIANT, Action, Deployment

SECOND = timedelta(seconds=1)  # captures give their time in whole seconds, cut off


class Attribution(StrEnum):
    """Certainty of an inference's model version."""

    MODEL = "model"  # known
    UNDECIDED = "undecided"  # captured during an endpoint update: the old model or the new one
    IMPORTED = "imported"  # imported capture
    UNKNOWN = "unknown"  # model unknown


@dataclass(frozen=True)
class Maker:
    """A model version ("v3"), or an attribution without one. unnamed : inferences without class names."""

    name: str
    inferences: int
    unnamed: int


def served_at(deployments: Sequence[Deployment], variant: str, time: datetime, unseen: timedelta) -> frozenset[int]:
    """Numbers of the candidate model versions: one, several during an update, or none.

    deployments : of one endpoint, oldest first, including failed and running ones.
    time : of the capture, in whole seconds.  unseen : assumed longest duration of a deployment whose end is unknown.
    """
    serving: set[int | None] = {None}
    for change in deployments:
        if change.action is Action.CHANGE_SHARE or (change.action.of_trial and variant != TRIAL_VARIANT):
            continue
        if time + SECOND <= change.time:
            break
        becomes = _served_after(change, variant)
        if change.ended is None or time <= max(change.ended, change.time + unseen * (change.ended == change.time)):
            serving.add(becomes)
        elif change.done:
            serving = {becomes}
    return frozenset(model for model in serving if model is not None)


def _served_after(change: Deployment, variant: str) -> int | None:
    if variant == TRIAL_VARIANT:
        return change.model if change.action is Action.START_TRIAL else None
    return None if change.action is Action.DELETE else change.model


def attributed(candidates: Iterable[int]) -> tuple[Attribution, int | None]:
    """The attribution of an inference, given its candidate models."""
    found = list(candidates)
    if len(found) == 1:
        return Attribution.MODEL, found[0]
    return (Attribution.UNDECIDED if found else Attribution.UNKNOWN), None
