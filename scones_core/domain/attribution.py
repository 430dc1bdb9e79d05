"""Attribution of captured inferences to model versions, from the deployment history."""

from bisect import bisect_left
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


class Serving:
    """The model versions that served a variant, over time."""

    def __init__(self, deployments: Sequence[Deployment], variant: str, unseen: timedelta) -> None:
        """As of `served_at`."""
        self._of = (deployments, variant)
        self._unseen = unseen
        ends = {_end(change, unseen) for change in deployments}
        self._turns = sorted({end for end in ends if end} | {change.time - SECOND for change in deployments})
        self._known: dict[int, frozenset[int]] = {}

    def at(self, time: datetime) -> frozenset[int]:
        """The same as `served_at`, which gives the same between two turns."""
        turn = bisect_left(self._turns, time)
        if turn not in self._known:
            self._known[turn] = served_at(*self._of, time, self._unseen)
        return self._known[turn]


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
        end = _end(change, unseen)
        if end is None or time <= end:
            serving.add(becomes)
        elif change.done:
            serving = {becomes}
    return frozenset(model for model in serving if model is not None)


def _end(change: Deployment, unseen: timedelta) -> datetime | None:
    return change.ended and max(change.ended, change.time + unseen * (change.ended == change.time))


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
