"""Costs of instances."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from scones_core.domain.costs import Price


class Use(StrEnum):
    """Use of an instance, as named in the price list."""

    TRAINING = "Training"
    HOSTING = "Hosting"


@dataclass(frozen=True)
class Instances:
    """Instances of one type, such as `ml.m5.large`. most: upper limit of scaling; spot: on spare capacity."""

    type: str
    use: Use
    count: int = 1
    most: int = 1
    spot: bool = False


class Costs(Protocol):
    """What is billed by the hour, and whether it is in use."""

    def training(self) -> Instances:
        """Instances a training job would run on."""
        ...

    def hosting(self) -> Instances:
        """Instances an endpoint would be deployed on."""
        ...

    def running(self, endpoint: str) -> Instances | None:
        """Instances the endpoint runs on now; None without an endpoint."""
        ...

    def price(self, instances: Instances) -> Price:
        """On-demand price of one instance. Raises NotFound (not in the price list), Unavailable."""
        ...

    def last_asked(self, endpoint: str) -> datetime | None:
        """Time of the endpoint's last inference, to the hour; None without any in the last 14 days (LOOK_BACK).

        Raises Unavailable.
        """
        ...
