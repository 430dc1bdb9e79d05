"""Dataset images whose label is to be checked: what a held-out model says of them, in the form of inferences.

They are apart from the captured inferences, so that no figure of production counts them.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from scones_core.db.schema import inferences, metadata

label_checks = sa.Table(
    "label_checks",
    metadata,
    *(sa.Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable) for c in inferences.c),
)
sa.Index("label_checks_image", label_checks.c.image_sha256)

SUBJECTS = (inferences, label_checks)  # what a decision can be on


def subject(connection: sa.Connection, event_id: str) -> dict[str, Any] | None:
    """The inference or label check of this id."""
    for table in SUBJECTS:
        row = connection.execute(sa.select(table).where(table.c.event_id == event_id)).mappings().first()
        if row:
            return dict(row)
    return None


def add(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(label_checks), rows)
