"""Retriers and Catchers: https://states-language.net/spec.html#errors"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from scones_core.local.workflow.asl.errors import (
    ALL,
    HEARTBEAT_TIMEOUT,
    TASK_FAILED,
    TIMEOUT,
    BranchFailure,
    RuntimeFailure,
    StatesError,
    TooLarge,
)
from scones_core.local.workflow.asl.flow import Flow, Settled
from scones_core.local.workflow.asl.scope import Scope


def matches(names: Sequence[str], error: StatesError) -> bool:
    """Tell whether an ErrorEquals list covers an error.

    Nothing covers States.Runtime. States.ALL covers everything else, but not a state's output that is too large;
    AWS does let it cover a task's result that is too large. States.TaskFailed covers everything but a timeout.
    """
    if isinstance(error, RuntimeFailure) or (isinstance(error, BranchFailure) and error.final):
        return False
    if error.error in names:
        return True
    if isinstance(error, TooLarge):
        return False
    if error.error == HEARTBEAT_TIMEOUT and TIMEOUT in names:
        return True
    return ALL in names or (TASK_FAILED in names and error.error not in (TIMEOUT, HEARTBEAT_TIMEOUT))


@dataclass(frozen=True)
class Retrier:
    error_equals: tuple[str, ...]
    interval_seconds: int = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_seconds: int | None = None
    full_jitter: bool = False

    def delay(self, retried: int) -> float:
        """Seconds to wait before the next attempt, after `retried` retries by this retrier."""
        try:
            seconds = self.interval_seconds * self.backoff_rate**retried
        except OverflowError:
            seconds = float("inf")
        if self.max_delay_seconds is not None:
            seconds = min(seconds, self.max_delay_seconds)
        return random.uniform(0, seconds) if self.full_jitter else seconds


@dataclass
class Retries:
    """How often each retrier has been used in one visit of a state; they count apart from each other."""

    retriers: Sequence[Retrier]
    used: dict[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(self.used.values())

    def next_delay(self, error: StatesError) -> float | None:
        """Return the seconds until the next attempt, or None when the error is not to be retried (any more)."""
        for place, retrier in enumerate(self.retriers):
            if matches(retrier.error_equals, error):
                used = self.used.get(place, 0)
                if used >= retrier.max_attempts:
                    return None
                self.used[place] = used + 1
                return retrier.delay(used)
        return None


@dataclass(frozen=True)
class Catcher:
    error_equals: tuple[str, ...]
    next: str
    flow: Flow

    def covers(self, error: StatesError) -> bool:
        return matches(self.error_equals, error)

    def catch(self, scope: Scope, error: StatesError) -> Settled:
        return self.flow.settle_error(scope, error.output())
