"""How well reviewers agree, how right each of them is, and how fast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import median
from typing import Any

from scones_core.db import reviewers as table
from scones_core.domain.agreement import Ratings, fleiss_kappa, krippendorff_alpha
from scones_core.domain.confidence import accuracy_interval
from scones_core.domain.review import is_label
from scones_core.errors import Conflict
from scones_core.services import queues
from scones_core.services.app import App

PAUSE = 120.0  # seconds; a longer gap between two decisions is a break, not a decision


@dataclass(frozen=True)
class Agreement:
    """Of the votes in one queue.

    images : with at least two votes.  agreed : those whose votes are all alike.  alpha : Krippendorff's.
    fleiss : Fleiss' kappa of the images that all have voted on; kappas : Cohen's, per pair, with the number of
    images both have voted on. None where it is undefined.
    """

    images: int
    agreed: int
    alpha: float | None
    fleiss: float | None
    kappas: dict[tuple[str, str], tuple[int, float | None]]


@dataclass(frozen=True, kw_only=True)
class ReviewWork:
    """decisions : not taken back, gold answers included.  relabelled : that differ from the prediction.

    gold, right : answers to gold images, and the right ones; interval : 95% Clopper–Pearson of their share, None
    without any.  overruled : labels that are no longer the image's.  seconds : median between two decisions.
    """

    decisions: int
    relabelled: int
    overruled: int
    gold: int
    right: int
    interval: tuple[float, float] | None
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class ReviewerFigures(ReviewWork):
    reviewer: str


@dataclass(frozen=True, kw_only=True)
class ReviewTotals(ReviewWork):
    """What all reviewers have done, without names."""

    reviewers: int


def agreement(app: App, queue: int) -> Agreement:
    """Agreement of the votes in a queue. Raises NotFound, Conflict if the queue has one reviewer per image."""
    found = queues.get(app, queue)
    if found.reviewers < 2:
        raise Conflict(f"The queue {found.name} has one reviewer per image: agreement needs at least two.")
    with app.db.read() as connection:
        rows = table.votes(connection, queue)
    units: dict[str, dict[str, str]] = {}
    for row in rows:
        if is_label(row["label"]):
            units.setdefault(row["image_sha256"], {})[row["reviewer"]] = row["label"]
    several = [unit for unit in units.values() if len(unit) > 1]
    complete = [unit for unit in several if len(unit) == found.reviewers]
    return Agreement(
        images=len(several),
        agreed=sum(len(set(unit.values())) == 1 for unit in several),
        alpha=krippendorff_alpha(several),
        fleiss=fleiss_kappa(_counts(complete)),
        kappas=_kappas(several),
    )


def _counts(units: Ratings) -> list[list[int]]:
    classes = sorted({label for unit in units for label in unit.values()})
    return [[list(unit.values()).count(name) for name in classes] for unit in units]


def _kappas(units: Ratings) -> dict[tuple[str, str], tuple[int, float | None]]:
    """Cohen's kappa per pair of reviewers, None if they gave one class only."""
    from sklearn.metrics import cohen_kappa_score  # most of a second, which other pages do without

    found = {}
    for pair in combinations(sorted({reviewer for unit in units for reviewer in unit}), 2):
        both = [(unit[pair[0]], unit[pair[1]]) for unit in units if pair[0] in unit and pair[1] in unit]
        if both:
            several = len({label for labels in both for label in labels}) > 1
            found[pair] = (len(both), float(cohen_kappa_score(*zip(*both, strict=True))) if several else None)
    return found


def figures(app: App, viewer: str) -> list[ReviewerFigures]:
    """What each reviewer has done, by name; operators see all of them, others only themselves."""
    by_name = _by_name(app, None if is_operator(app, viewer) else viewer)
    return [_figures(name, by_name[name]) for name in sorted(by_name, key=str.casefold)]


def totals(app: App) -> ReviewTotals:
    """What all of them have done together."""
    by_name = _by_name(app, None)
    each = [_figures(name, rows) for name, rows in by_name.items()]
    names = ("decisions", "relabelled", "overruled", "gold", "right")
    sums = {name: sum(getattr(one, name) for one in each) for name in names}
    paces = [pace for rows in by_name.values() for pace in _paces(rows)]
    interval = accuracy_interval(sums["right"], sums["gold"]) if sums["gold"] else None
    return ReviewTotals(reviewers=len(each), **sums, interval=interval, seconds=median(paces) if paces else None)


def _by_name(app: App, reviewer: str | None) -> dict[str, list[Mapping[str, Any]]]:
    """Decisions of one reviewer, or of all."""
    with app.db.read() as connection:
        rows = table.decisions(connection, reviewer)
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["reviewer"], []).append(row)
    return found


def _paces(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """Seconds between two decisions of a reviewer, without breaks."""
    gaps = [(after["time"] - before["time"]).total_seconds() for before, after in pairwise(rows)]
    return [gap for gap in gaps if 0 <= gap <= PAUSE]


def _figures(name: str, rows: Sequence[Mapping[str, Any]]) -> ReviewerFigures:
    gold = [row for row in rows if row["gold"] is not None and row["strategy"] == "gold"]
    right = sum(row["label"] == row["gold"] for row in gold)
    paces = _paces(rows)
    own = [row for row in rows if row["strategy"] != "gold" and is_label(row["label"])]
    return ReviewerFigures(
        reviewer=name,
        decisions=len(rows),
        relabelled=sum(row["label"] != row["prediction_name"] for row in own if row["prediction_name"] is not None),
        overruled=sum(row["current"] is not None and row["current"] != row["label"] for row in own),
        gold=len(gold),
        right=right,
        interval=accuracy_interval(right, len(gold)) if gold else None,
        seconds=median(paces) if paces else None,
    )


def is_operator(app: App, name: str) -> bool:
    """Whether a user sees everybody's figures and settles proposals: all do, unless SCONES_OPERATORS names them."""
    operators = [one.strip().casefold() for one in app.settings.operators.split(",") if one.strip()]
    return not operators or name.strip().casefold() in operators
