"""What the drift watch of the model in service says, and the pictures of its alarm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scones_core.db import drift_watches as table
from scones_core.domain import martingale
from scones_core.domain.datasets import TEST
from scones_core.domain.drift import DriftLevel
from scones_core.domain.martingale import DriftWatch, Watched
from scones_core.services import deployment, etl
from scones_core.services.app import App

PICTURES = 8
QUIET = 200  # inferences without an alarm after an acknowledged one, before confidences are believed again


@dataclass(frozen=True)
class DriftAlarm:
    """time : of the inference that raised it.  changes : {statistic, higher, evidence}, the strongest first.

    since : likeliest, first and last time at which it began; 95% interval.
    before, after : captured inferences to look at.  before is empty if it began with the first inference.
    """

    time: datetime
    changes: Sequence[Mapping[str, Any]]
    since: datetime
    since_interval: tuple[datetime, datetime]
    before: Sequence[str] = ()
    after: Sequence[str] = ()


@dataclass(frozen=True)
class DriftStanding:
    """What the watch says now.  recent : inferences observed; reference : test images compared with.

    evidence : the largest of each statistic's; an alarm needs `needed` of one.
    quiet : inferences since the last acknowledged alarm; None without one.
    moved : time of the alarm for which confidences are not believed: audits from before it no longer count.
    """

    level: DriftLevel
    recent: int = 0
    reference: int = 0
    model: str | None = None
    needed: float = martingale.ALARM
    evidence: Mapping[str, float] = field(default_factory=dict)
    alarm: DriftAlarm | None = None
    quiet: int | None = None
    moved: datetime | None = None

    @property
    def believed(self) -> bool:
        """Whether the model's confidences may be taken for its accuracy."""
        return self.level is DriftLevel.NONE and (self.quiet is None or self.quiet >= QUIET)


def standing(app: App) -> DriftStanding:
    """What the watch of the model in service says, with the pictures of an alarm."""
    champion = deployment.champion(app)
    if champion is None:
        return DriftStanding(DriftLevel.UNKNOWN)
    with app.db.read() as connection:
        found = table.current(connection, app.settings.endpoint, champion.number)
        if found is None:
            return DriftStanding(DriftLevel.UNKNOWN, model=champion.id)
        earlier = table.before(connection, found)
        alarm = _alarm(connection, found) if found["alarm"] else None
    watch = DriftWatch.from_bytes(found["state"])
    enough = found["observed"] >= martingale.FEWEST
    level = DriftLevel.DRIFT if alarm else DriftLevel.NONE if enough else DriftLevel.UNKNOWN
    evidence = {str(name): float(peak) for name, peak in zip(Watched, watch.peak[0], strict=True)}
    counts = {"recent": found["observed"], "reference": found["reference"]}
    quiet = found["observed"] if earlier else None
    moved = alarm.time if alarm else earlier["alarm_time"] if earlier and found["observed"] < QUIET else None
    return DriftStanding(level, **counts, model=champion.id, evidence=evidence, alarm=alarm, quiet=quiet, moved=moved)


def moved(app: App, model: str) -> datetime | None:
    """`DriftStanding.moved` of a model version; None of one that is not in service."""
    found = standing(app)
    return found.moved if found.model == model else None


def _alarm(connection: sa.Connection, found: Mapping[str, Any]) -> DriftAlarm:
    told, id = found["alarm"], found["id"]
    times = [table.time_of(connection, id, told[name]) for name in ("began", "first", "last")]
    after = table.events(connection, id, told["last"], told["last"] + PICTURES - 1)
    missing = PICTURES - len(after)
    if missing:  # the alarm is young
        after = table.events(connection, id, max(told["began"], told["last"] - missing), told["last"] + PICTURES - 1)
    return DriftAlarm(
        time=found["alarm_time"],
        changes=told["changes"],
        since=times[0],
        since_interval=(times[1], times[2]),
        before=table.events(connection, id, max(0, told["first"] - PICTURES), told["first"] - 1),
        after=after,
    )


def in_words(changes: Sequence[Mapping[str, Any]]) -> str:
    """Such as "Brightness and contrast are lower, edges higher than in the test images."."""
    lower = [str(change["statistic"]) for change in changes if not change["higher"] and change["statistic"] != "class"]
    higher = [str(change["statistic"]) for change in changes if change["higher"] and change["statistic"] != "class"]
    parts = [f"{_listed(names)} lower" for names in (lower,) if names]
    parts += [f"{_listed(names)} higher" for names in (higher,) if names]
    parts += ["the predicted classes differ"] if any(change["statistic"] == "class" for change in changes) else []
    return f"Compared with the test images: {', '.join(parts)}."


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def reference_keys(app: App) -> list[str]:
    """Keys of test images of the model in service, to show beside an alarm that began with the first inference."""
    champion = deployment.champion(app)
    return [image.key for image in etl.images(app, champion.dataset, TEST)[:PICTURES]] if champion else []
