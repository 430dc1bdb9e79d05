"""The captured inferences that an audit is about, kept as they were when it was drawn."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from scones_core.db import audits as table
from scones_core.domain.audit import Floats, Rows


@dataclass(frozen=True)
class AuditPopulation:
    """confidences, predictions : shape (n,), oldest first.

    marks : of the event ids, by which they are known again, (n,); (0,) of one that was kept before there were any.
    """

    confidences: Floats
    predictions: Rows
    marks: NDArray[np.int64]
    events: Sequence[str] = ()

    @classmethod
    def read(
        cls, connection: sa.Connection, endpoint: str, model: int, since: datetime | None, until: datetime
    ) -> "AuditPopulation":
        """As captured, with event ids."""
        rows = table.population(connection, endpoint, model, since, until)
        events = [row[0] for row in rows]
        predictions = np.array([row[2] for row in rows], dtype=np.int64)
        return cls(np.array([row[1] for row in rows]), predictions, _marks(events), events)

    @classmethod
    def unpacked(cls, data: bytes) -> "AuditPopulation":
        """As kept, without event ids."""
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return cls(
                file["confidences"],
                file["predictions"].astype(np.int64),
                file["marks"] if "marks" in file.files else _marks([]),
            )

    def packed(self) -> bytes:
        buffer = io.BytesIO()
        predictions = self.predictions.astype(np.int16)
        np.savez_compressed(buffer, confidences=self.confidences, predictions=predictions, marks=self.marks)
        return buffer.getvalue()

    def events_of(self, kept: "AuditPopulation") -> list[str] | None:
        """Event ids of a population that was kept, among these, in its order; None if they are not all the same."""
        among = np.isin(self.marks, kept.marks) if len(kept.marks) else np.ones(len(self.events), dtype=bool)
        if not np.array_equal(self.confidences[among], kept.confidences):
            return None
        return [self.events[row] for row in np.flatnonzero(among).tolist()]


def _marks(events: Sequence[str]) -> NDArray[np.int64]:
    """64 bits of each event id's digest."""
    digests = b"".join(hashlib.blake2b(event.encode(), digest_size=8).digest() for event in events)
    return np.frombuffer(digests, dtype=np.int64)
