"""ItemBatcher: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html"""

from dataclasses import dataclass, field
from typing import Any

from scones_core.local.workflow.asl.errors import ITEM_READER_FAILED, StatesError
from scones_core.local.workflow.asl.flow import Evaluate
from scones_core.local.workflow.asl.jsontext import MAX_PAYLOAD_BYTES, dumps
from scones_core.local.workflow.asl.scope import Scope


@dataclass(frozen=True)
class ItemBatch:
    """The input of one child, and how many items are in it."""

    input: Any
    items: int


@dataclass(frozen=True)
class ItemBatcher:
    """Either bound may be None; `batch_input` goes into every batch."""

    max_items: Evaluate | None
    max_bytes: Evaluate | None
    batch_input: Evaluate | None

    def batches(self, scope: Scope) -> "Batches":
        most = self.max_items(scope) if self.max_items else None
        size = self.max_bytes(scope) if self.max_bytes else MAX_PAYLOAD_BYTES
        shared = {"BatchInput": self.batch_input(scope)} if self.batch_input else {}
        return Batches(most, min(size, MAX_PAYLOAD_BYTES), shared)


@dataclass
class Batches:
    """Fills one batch after the other."""

    max_items: int | None
    max_bytes: int
    shared: dict[str, Any]
    items: list[Any] = field(default_factory=list)
    size: int = 0

    def check(self) -> None:
        """Raise StatesError where a path gave a bound that is not positive."""
        for name, bound in (("MaxItemsPerBatch", self.max_items), ("MaxInputBytesPerBatch", self.max_bytes)):
            if bound is not None and bound < 1:
                raise StatesError(ITEM_READER_FAILED, f"field {name} must be positive")

    def add(self, item: Any) -> list[ItemBatch]:
        """Take an item; return the batches that are full now."""
        size = len(dumps(item).encode("utf-8", "surrogatepass")) + 1
        full = self.rest() if self._empty_size() + self.size + size > self.max_bytes else []
        self.items.append(item)
        self.size += size
        return full if len(self.items) != self.max_items else full + self.rest()

    def rest(self) -> list[ItemBatch]:
        """Return the batch so far, unless it is empty, and begin the next one."""
        batches = [ItemBatch({**self.shared, "Items": self.items}, len(self.items))] if self.items else []
        self.items, self.size = [], 0
        return batches

    def _empty_size(self) -> int:
        return len(dumps({**self.shared, "Items": []}))
