"""What things cost."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from scones_core.domain.costs import Price


class Use(StrEnum):
    """What an instance is paid for, as the price list calls it."""

    TRAINING = "Training"
    HOSTING = "Hosting"


@dataclass(frozen=True)
class Instances:
    """Instances of one type, as `ml.m5.large`. most: what they may scale to; spot: on spare capacity."""

    type: str
    use: Use
    count: int = 1
    most: int = 1
    spot: bool = False


class Costs(Protocol):
    """What is paid for by the hour, and whether it is used."""

    def training(self) -> Instances:
        """What a training job would run on."""
        ...

    def hosting(self) -> Instances:
        """What an endpoint would be deployed on."""
        ...

    def running(self, endpoint: str) -> Instances | None:
        """What the endpoint runs on now; None where nothing runs."""
        ...

    def price(self, instances: Instances) -> Price:
        """On-demand price of one instance. Raises NotFound (the price list has none), Unavailable."""
        ...

    def last_asked(self, endpoint: str) -> datetime | None:
        """Time of the endpoint's last inference, to the hour; None without any in the last 14 days (LOOK_BACK).

        Raises Unavailable.
        """
        ...
