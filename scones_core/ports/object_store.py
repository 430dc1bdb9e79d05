"""Objects by key."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class ObjectInfo:
    """One object of a listing. `size` in bytes; `version` changes whenever the content does (an ETag)."""

    key: str
    size: int
    modified: datetime
    version: str


class ObjectStore(Protocol):
    """One bucket."""

    at_once: int  # requests that several threads may well make at the same time

    @property
    def bucket(self) -> str: ...

    def put(self, key: str, data: bytes) -> None:
        """Store `data` durably under `key`, replacing what was there."""
        ...

    def put_many(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Store many objects; all are durable when it returns."""
        ...

    def make_durable(self, keys: Iterable[str]) -> None:
        """See that these objects, which endpoints appended to, outlive a power loss."""
        ...

    def get(self, key: str) -> bytes:
        """Return the object's bytes. Raises NotFound."""
        ...

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Return bytes `start` to `end` − 1, fewer where the object ends before. Raises NotFound."""
        ...

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose key starts with `prefix` and sorts after `after`, in key order."""
        ...

    def listdir(self, prefix: str = "") -> tuple[Sequence[str], Sequence[ObjectInfo]]:
        """Return what lies right below `prefix`, which ends with "/" or is empty, in key order.

        Folders come as prefixes that end with "/".
        """
        ...

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens where there is none."""
        ...
