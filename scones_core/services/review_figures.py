"""How many images are reviewed, and how many wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from scones_core.db import inferences as inferences_table
from scones_core.db import reviews as table
from scones_core.services import monitoring
from scones_core.services.app import App


@dataclass(frozen=True)
class QueueFigures:
    """pending: low-confidence images without a decision; the others: images by current decision."""

    pending: int
    confirmed: int
    relabelled: int
    skipped: int
    labelled: int = 0  # without the model's class names, a prediction is neither right nor wrong
    unusable: int = 0
    unsure: int = 0
    voting: int = 0  # by several reviewers, of whom not enough have decided
    disputed: int = 0

    @property
    def decided(self) -> int:
        """Images with any decision."""
        return self.labels + self.skipped + self.unusable + self.unsure + self.voting + self.disputed

    @property
    def labels(self) -> int:
        """Images with a label."""
        return self.confirmed + self.relabelled + self.labelled


def queue(app: App) -> QueueFigures:
    threshold = monitoring.threshold(app)
    with app.db.read() as connection:
        counts = table.counts(connection)
        pending = int(connection.scalar(table.pending(threshold)) or 0)
    return queue_figures(pending, counts)


def queue_figures(pending: int, counts: Mapping[str, int]) -> QueueFigures:
    """counts : status → images."""
    fields = (
        "confirmed",
        "relabelled",
        "skipped",
        "labelled",
        "unusable",
        "unsure",
        "voting",
        "disputed",
    )  # each a Status
    return QueueFigures(pending, **{name: counts.get(name, 0) for name in fields})


def predicted_classes(app: App) -> list[str]:
    """Names of the classes that captured inferences may predict, of all models, in class-index order."""
    with app.db.read() as connection:
        lists = inferences_table.class_lists(connection)
    return list(dict.fromkeys(name for id in sorted(lists, reverse=True) for name in lists[id]))


def held_by_others(app: App, reviewer: str, *, queue: int | None = None) -> list[table.Lease]:
    """Leases in force of other reviewers on undecided images, in the order of their end; in one queue, or in any."""
    with app.db.read() as connection:
        return table.held_by_others(connection, reviewer, datetime.now(UTC), queue)
