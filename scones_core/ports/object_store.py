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

    at_once: int  # number of requests worth making concurrently

    @property
    def bucket(self) -> str: ...

    def put(self, key: str, data: bytes) -> None:
        """Store `data` durably under `key`, replacing any previous object."""
        ...

    def put_many(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Store many objects; all are durable on return."""
        ...

    def make_durable(self, keys: Iterable[str]) -> None:
        """Make these objects, which endpoints append to, durable."""
        ...

    def get(self, key: str) -> bytes:
        """Return the object's bytes. Raises NotFound."""
        ...

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Return bytes `start` to `end` − 1, fewer if the object is shorter. Raises NotFound."""
        ...

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose key starts with `prefix` and sorts after `after`, in key order."""
        ...

    def listdir(self, prefix: str = "") -> tuple[Sequence[str], Sequence[ObjectInfo]]:
        """Return the direct children of `prefix`, which ends with "/" or is empty, in key order.

        Folders are prefixes that end with "/".
        """
        ...

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Remove the object; no error if it does not exist."""
        ...
