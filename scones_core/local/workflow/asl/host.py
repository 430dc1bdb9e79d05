"""Interface of the states of an execution to the outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from scones_core.local.workflow.asl.jsontext import weight
from scones_core.local.workflow.asl.map_run import Child, MapRun
from scones_core.local.workflow.asl.scope import SECONDS, Ask, Costly, Scope

T = TypeVar("T")
IN_PLACE = 0.05  # seconds of the thread that all executions share, for a field
MAX_CHARACTERS = 8_000_000  # of the values of all costly expressions of a field


@dataclass(frozen=True)
class Response:
    """What the call of a function gave: a JSON value of `size` bytes, and the id under which it ran."""

    payload: Any
    request_id: str
    size: int


class Host(Protocol):
    async def invoke(self, function: str, payload: Any) -> Response:
        """Call a function, by name or ARN, with a JSON payload. Raises StatesError."""
        ...

    async def publish(self, message: Mapping[str, Any]) -> str:
        """Publish a notification with SNS's parameters, and return its message id. Raises StatesError."""
        ...

    async def storage(self, operation: Callable[[Any], Any]) -> Any:
        """Call `operation` with the S3 client, where it may block, and return what it gives."""
        ...

    async def evaluate(self, work: Callable[[Ask], T]) -> T:
        """Call `work`, where it may wait, with what evaluates costly expressions, and return what it gives."""
        ...

    async def keep_child(self, run: MapRun, child: Child) -> None:
        """Keep a child execution that has ended."""
        ...


async def evaluated(host: Host, function: Callable[..., T], scope: Scope, *more: Any) -> T:
    """Return `function(scope, *more)`, which has no effects: computed in place, unless that takes long."""
    try:
        return function(scope.limited(IN_PLACE), *more)
    except Costly:
        pass

    def patiently(ask: Ask) -> T:
        return function(scope.limited(SECONDS, _within_reason(ask)), *more)

    found = await host.evaluate(patiently)
    return cast(T, found.limited(IN_PLACE)) if isinstance(found, Scope) else found


def _within_reason(ask: Ask) -> Ask:
    """Refuse values that are too large together, each of which is not; raises ValueError then."""
    left = MAX_CHARACTERS

    def asked(language: str, text: str, data: Any) -> Any:
        nonlocal left
        value = ask(language, text, data)
        left -= weight(value, left)
        if left < 0:
            raise ValueError(f"the values of this field together have more than {MAX_CHARACTERS:,} characters")
        return value

    return asked
