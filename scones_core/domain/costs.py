"""Cost estimates of instances, and idle endpoints.

Based on on-demand prices, without taxes, discounts, storage and traffic.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = 3600.0  # seconds
DAY = 24 * HOUR
MONTH = 30 * DAY
REFERENCE_SECONDS = 462.0  # billed for the training job of the reference run, on one GPU instance
IDLE = timedelta(hours=24)  # without an inference, after which an endpoint is pointed out
LOOK_BACK = timedelta(days=14)  # how far back inferences are looked for


@dataclass(frozen=True)
class Price:
    """On-demand price of one instance: `per_hour` in `currency` (ISO 4217)."""

    per_hour: float
    currency: str

    def of(self, seconds: float, instances: int = 1) -> float:
        """Cost of `instances` running for `seconds`, in `currency`."""
        return self.per_hour * instances * seconds / HOUR


def quiet(created: datetime, last_asked: datetime | None, now: datetime) -> timedelta:
    """Time since an endpoint's last request, or since its creation if there is none.

    last_asked : within LOOK_BACK, or None; an inference before the endpoint's creation was of another of its name.
    Returns at most LOOK_BACK.
    """
    return min(now - max(created, last_asked or created), LOOK_BACK)
