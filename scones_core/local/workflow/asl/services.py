"""What the states of an execution ask of the world."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from scones_core.local.workflow.asl.map_run import Child, MapRun


@dataclass(frozen=True)
class Response:
    """What the call of a function gave: a JSON value of `size` bytes, and the id under which it ran."""

    payload: Any
    request_id: str
    size: int


class Services(Protocol):
    async def invoke(self, function: str, payload: Any) -> Response:
        """Call a function, by name or ARN, with a JSON payload. Raises StatesError."""
        ...

    async def publish(self, message: Mapping[str, Any]) -> str:
        """Publish a notification with SNS's parameters, and return its message id. Raises StatesError."""
        ...

    async def storage(self, operation: Callable[[Any], Any]) -> Any:
        """Call `operation` with the S3 client, where it may block, and return what it gives."""
        ...

    def opened(self, run: "MapRun") -> None:
        """Take note of a Map Run that begins; its counts change while it runs."""
        ...

    async def ended(self, run: "MapRun", child: "Child") -> None:
        """Take note of a child execution that ended."""
        ...
